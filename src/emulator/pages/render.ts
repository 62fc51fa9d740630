import { findRepository, fullName, type Repository, type World } from '../state.ts';
import { html, link } from './html.ts';
import { issuePageHtml } from './issue.ts';
import { page } from './layout.ts';
import { blobPage, commitPage, compareHtml, repositoryPage, treePage } from './repository.ts';

/** The HTML page at a path; null for none. */
export async function renderPage(world: World, pathname: string): Promise<string | null> {
  const path = decoded(pathname);
  if (path === null) return null;
  if (path === '/') return homePage(world);
  const [, owner = '', name = '', kind = '', ...rest] = path.replace(/\/+$/, '').split('/');
  const repo = findRepository(world, `${owner}/${name.replace(/\.git$/, '')}`);
  return repo ? repositoryPart(world, repo, { kind, rest: rest.join('/') }) : null;
}

function decoded(pathname: string): string | null {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return null;
  }
}

function homePage(world: World): string {
  const rows = [...world.repositories.values()].map((repo) => {
    const name = fullName(world, repo);
    return html`<div class="row"><a href="${link(name)}">${name}</a> <span class="dim">${repo.description ?? ''}</span></div>`;
  });
  return page(
    'GitHub emulator',
    html`GitHub emulator`,
    html`<h1>Repositories</h1><div class="box">${rows}</div>`,
  );
}

async function repositoryPart(
  world: World,
  repo: Repository,
  part: { kind: string; rest: string },
): Promise<string | null> {
  const { kind, rest } = part;
  if (kind === '' || (['issues', 'pulls', 'branches'].includes(kind) && rest === ''))
    return repositoryPage(world, repo);
  if (kind === 'issues' || kind === 'pull') {
    const issue = repo.issues.get(Number(rest.split('/')[0]));
    return issue ? issuePageHtml(world, repo, issue) : null;
  }
  const others: Record<string, typeof treePage> = {
    tree: treePage,
    blob: blobPage,
    commit: commitPage,
    compare: compareHtml,
  };
  return (await others[kind]?.(world, repo, rest)) ?? null;
}

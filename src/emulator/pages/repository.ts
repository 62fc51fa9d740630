import { changedFiles, EMPTY_TREE } from '../git/diff.ts';
import { entryAt } from '../git/edit.ts';
import { aheadBehind, listCommits, mergeBase } from '../git/history.ts';
import type { Commit } from '../git/objects.ts';
import { listRefs } from '../git/refs.ts';
import { isPull } from '../issue-actions.ts';
import { resolveCommit } from '../rest/commits.ts';
import { fullName, type Issue, type Repository, stamp, type World } from '../state.ts';
import { type Html, html, link } from './html.ts';
import { badge, commitLink, commitList, fileDiff, labels, trail } from './issue.ts';
import { page } from './layout.ts';
import { markdown } from './markdown.ts';

function issueRow(name: string, issue: Issue): Html {
  const address = link(name, issue.pull ? 'pull' : 'issues', issue.number);
  return html`<div class="row">${badge(issue)} <a href="${address}">${issue.title}</a> <span class="dim">#${issue.number}</span> ${labels(issue)}</div>`;
}

function section(title: string, rows: readonly Html[], empty: string): Html {
  const body = rows.length > 0 ? rows : [html`<div class="row dim">${empty}</div>`];
  return html`<h2 class="section">${title}</h2><div class="box">${body}</div>`;
}

/** The first page of a repository: files, branches, pull requests, issues. */
export async function repositoryPage(world: World, repo: Repository): Promise<string> {
  const name = fullName(world, repo);
  const heads = await listRefs(repo.git.dir, 'refs/heads/');
  const issues = [...repo.issues.values()].reverse();
  const branch = ({ ref, sha }: { ref: string; sha: string }) => {
    const short = ref.slice('refs/heads/'.length);
    return html`<div class="row"><a href="${link(name, 'tree', short)}"><code>${short}</code></a> ${commitLink(name, sha)}</div>`;
  };
  const content = html`<h1>${name}</h1><p class="dim">${repo.description ?? ''}</p>
<p class="mono dim">git clone ${world.url}/${name}.git</p>
${section(
  'Pull requests',
  issues.filter(isPull).map((issue) => issueRow(name, issue)),
  'None yet',
)}
${section(
  'Issues',
  issues.filter((issue) => !isPull(issue)).map((issue) => issueRow(name, issue)),
  'None yet',
)}
${section('Branches', heads.map(branch), 'This repository is empty')}
${await treeSection(world, repo, { ref: repo.defaultBranch, path: '' })}`;
  return page(name, trail(world, repo), content);
}

/** The files of a branch or commit, or one folder of them. */
export async function treePage(world: World, repo: Repository, rest: string): Promise<string | null> {
  const place = await splitRef(repo, rest);
  if (!place) return null;
  const name = fullName(world, repo);
  const head = await resolveCommit(repo, place.ref);
  const shas = head ? await listCommits(repo.git.dir, { head: head.sha, max: 20 }) : [];
  const commits = (await Promise.all(shas.map((sha) => repo.git.commit(sha)))).filter((one) => one !== null);
  const content = html`<h1>${place.ref} <span class="number">${place.path}</span></h1>
${await treeSection(world, repo, place)}<h2 class="section">Commits</h2>${commitList(name, commits)}`;
  return page(`${place.ref} · ${name}`, trail(world, repo), content);
}

/** Tells where the branch's name, which may have slashes, ends and the path begins. */
async function splitRef(repo: Repository, rest: string): Promise<{ ref: string; path: string } | null> {
  const parts = rest.split('/');
  for (let length = 1; length <= parts.length; length += 1) {
    const ref = parts.slice(0, length).join('/');
    if (await resolveCommit(repo, ref)) return { ref, path: parts.slice(length).join('/') };
  }
  return null;
}

async function treeSection(
  world: World,
  repo: Repository,
  place: { ref: string; path: string },
): Promise<Html> {
  const name = fullName(world, repo);
  const commit = await resolveCommit(repo, place.ref);
  if (!commit) return html``;
  const entry = place.path === '' ? null : await entryAt(repo.git, commit.sha, place.path);
  const entries = (await repo.git.tree(entry?.sha ?? commit.sha)) ?? [];
  const rows = [...entries]
    .sort((a, b) => Number(b.mode === '040000') - Number(a.mode === '040000'))
    .map((one) => {
      const path = place.path === '' ? one.name : `${place.path}/${one.name}`;
      const folder = one.mode === '040000';
      return html`<div class="row">${folder ? '📁' : '📄'} <a href="${link(name, folder ? 'tree' : 'blob', place.ref, path)}">${one.name}</a></div>`;
    });
  const readme = entries.find((one) => /^readme\.md$/i.test(one.name));
  const text = readme ? (await repo.git.read(readme.sha))?.content.toString() : undefined;
  const shown =
    text &&
    html`<div class="box"><div class="head">${readme?.name}</div><div class="body">${markdown(text)}</div></div>`;
  return html`${section('Files', rows, 'No files')}${shown}`;
}

/** The content of one file. */
export async function blobPage(world: World, repo: Repository, rest: string): Promise<string | null> {
  const place = await splitRef(repo, rest);
  const commit = place && (await resolveCommit(repo, place.ref));
  const entry = commit && (await entryAt(repo.git, commit.sha, place.path));
  const blob = entry && (await repo.git.read(entry.sha));
  if (!place || blob?.type !== 'blob') return null;
  const binary = blob.content.includes(0);
  const text = binary ? `${blob.content.length} bytes of binary content` : blob.content.toString();
  const content = html`<h1>${place.path} <span class="number">${place.ref}</span></h1><pre>${text}</pre>`;
  return page(place.path, trail(world, repo), content);
}

function commitHead(commit: Commit): Html {
  const [title, ...rest] = commit.message.split('\n');
  const body = rest.join('\n').trim();
  return html`<h1>${title}</h1><p class="dim">${commit.author.name} on ${stamp(commit.author.date)}, <span class="mono">${commit.sha}</span></p>${body !== '' && html`<pre>${body}</pre>`}`;
}

/** One commit with its diff. */
export async function commitPage(world: World, repo: Repository, sha: string): Promise<string | null> {
  const commit = await resolveCommit(repo, sha);
  if (!commit) return null;
  const files = await changedFiles(repo.git.dir, commit.parents[0] ?? EMPTY_TREE, commit.sha);
  const title = commit.message.split('\n')[0] ?? sha;
  return page(title, trail(world, repo), html`${commitHead(commit)}${files.map(fileDiff)}`);
}

/** Two branches compared: `base...head`. */
export async function compareHtml(world: World, repo: Repository, range: string): Promise<string | null> {
  const [from = '', to = ''] = range.split('...');
  const base = await resolveCommit(repo, to ? from : repo.defaultBranch);
  const head = await resolveCommit(repo, to || from);
  if (!base || !head) return null;
  const { dir } = repo.git;
  const common = (await mergeBase(dir, base.sha, head.sha)) ?? base.sha;
  const counts = await aheadBehind(dir, base.sha, head.sha);
  const shas = await listCommits(dir, { head: head.sha, base: base.sha, max: 250 });
  const commits = (await Promise.all(shas.map((one) => repo.git.commit(one)))).filter((one) => one !== null);
  const files = await changedFiles(dir, common, head.sha);
  const content = html`<h1>${from} … ${to}</h1><p class="dim">${counts.ahead} ahead, ${counts.behind} behind</p>
${commitList(fullName(world, repo), commits)}${files.map(fileDiff)}`;
  return page(`Comparing ${range}`, trail(world, repo), content);
}

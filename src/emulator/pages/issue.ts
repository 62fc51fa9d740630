import { type ChangedFile, changedFiles } from '../git/diff.ts';
import { listCommits, mergeBase } from '../git/history.ts';
import type { Commit } from '../git/objects.ts';
import { isPull } from '../issue-actions.ts';
import {
  accountOf,
  type Comment,
  fullName,
  type Issue,
  type PullIssue,
  type Reaction,
  type Repository,
  stamp,
  type World,
} from '../state.ts';
import { type Html, html, link, raw } from './html.ts';
import { page } from './layout.ts';
import { markdown } from './markdown.ts';

const EMOJI: Record<string, string> = {
  '+1': '👍',
  '-1': '👎',
  laugh: '😄',
  hooray: '🎉',
  confused: '😕',
  heart: '❤️',
  rocket: '🚀',
  eyes: '👀',
};

/** The way from the owner to a repository, at the top of each page. */
export function trail(world: World, repo: Repository): Html {
  const name = fullName(world, repo);
  return html`<a href="/">GitHub emulator</a> <span class="dim">/</span> <a href="${link(name)}"><b>${name}</b></a>${repo.archived && html` <span class="dim">(archived)</span>`}`;
}

/** Open, closed, merged or draft, as a coloured badge. */
export function badge(issue: Issue): Html {
  if (issue.pull?.mergedAt) return html`<span class="state merged">Merged</span>`;
  if (issue.state === 'closed')
    return html`<span class="state ${issue.pull ? 'closed' : 'done'}">Closed</span>`;
  return issue.pull?.draft
    ? html`<span class="state draft">Draft</span>`
    : html`<span class="state open">Open</span>`;
}

/** The labels of an issue. */
export function labels(issue: Issue): Html[] {
  return issue.labels.map(
    (one) =>
      html`<span class="label"><span class="dot" style="background:#${one.color}"></span>${one.name}</span>`,
  );
}

function reactions(list: readonly Reaction[]): Html | false {
  if (list.length === 0) return false;
  const counted = Map.groupBy(list, (one) => one.content);
  const shown = [...counted].map(
    ([content, all]) => html`<span>${EMOJI[content] ?? content} ${all.length}</span>`,
  );
  return html`<p class="reactions">${shown}</p>`;
}

function post(
  world: World,
  one: Pick<Comment, 'userId' | 'createdAt' | 'body' | 'reactions'> & {
    id?: number;
    minimized?: string | null;
  },
): Html {
  const author = accountOf(world, one.userId);
  const body =
    one.body.trim() === '' ? html`<p class="dim">No description provided.</p>` : markdown(one.body);
  const shown = one.minimized
    ? html`<details><summary class="dim">Hidden as ${one.minimized}</summary>${body}</details>`
    : body;
  return html`<div class="box" id="${one.id ? `issuecomment-${one.id}` : 'description'}">
<div class="head"><b>${author.login}</b> on ${stamp(one.createdAt)}</div><div class="body">${shown}${reactions(one.reactions)}</div></div>`;
}

/** The page of an issue or pull request. */
export async function issuePageHtml(world: World, repo: Repository, issue: Issue): Promise<string> {
  const author = accountOf(world, issue.userId).login;
  const content = html`<h1>${issue.title} <span class="number">#${issue.number}</span></h1>
<p>${badge(issue)}<b>${author}</b> <span class="dim">opened this on ${stamp(issue.createdAt)}</span> ${labels(issue)}</p>
${isPull(issue) && branches(world, repo, issue)}
${post(world, { ...issue, body: issue.body ?? '', id: undefined })}
${issue.comments.map((comment) => post(world, comment))}
${isPull(issue) && (await changes(world, repo, issue))}`;
  return page(`${issue.title} · #${issue.number} · ${fullName(world, repo)}`, trail(world, repo), content);
}

function branches(world: World, repo: Repository, issue: PullIssue): Html {
  const name = fullName(world, repo);
  const branch = (ref: string) => html`<a href="${link(name, 'tree', ref)}"><code>${ref}</code></a>`;
  const merged = issue.pull.mergeSha && html` as ${commitLink(name, issue.pull.mergeSha)}`;
  return html`<p class="dim">wants ${branch(issue.pull.headRef)} in ${branch(issue.pull.baseRef)}${merged}</p>`;
}

/** A short sha that leads to its commit. */
export function commitLink(name: string, sha: string): Html {
  return html`<a class="mono" href="${link(name, 'commit', sha)}">${sha.slice(0, 7)}</a>`;
}

async function changes(world: World, repo: Repository, issue: PullIssue): Promise<Html> {
  const { dir } = repo.git;
  const { baseSha, headSha } = issue.pull;
  const base = (await mergeBase(dir, baseSha, headSha)) ?? baseSha;
  const shas = await listCommits(dir, { head: headSha, base, max: 250 });
  const commits = (await Promise.all(shas.map((sha) => repo.git.commit(sha)))).filter((one) => one !== null);
  const files = await changedFiles(dir, base, headSha);
  return html`<h2 class="section">Commits</h2>${commitList(fullName(world, repo), commits)}
<h2 class="section">Files changed</h2>${files.map(fileDiff)}`;
}

/** Commits as rows. */
export function commitList(name: string, commits: readonly Commit[]): Html {
  const row = (one: Commit) =>
    html`<div class="row">${commitLink(name, one.sha)} ${one.message.split('\n')[0]} <span class="dim">${one.author.name}</span></div>`;
  return html`<div class="box">${commits.map(row)}</div>`;
}

/** One changed file with its diff. */
export function fileDiff(file: ChangedFile): Html {
  const name = file.previousPath === null ? file.path : `${file.previousPath} → ${file.path}`;
  const body =
    file.patch === null
      ? html`<div class="body dim">Binary or unchanged content</div>`
      : html`<pre class="diff">${patchLines(file.patch)}</pre>`;
  return html`<div class="box"><div class="head"><b class="mono">${name}</b> ${file.status}, +${file.additions} −${file.deletions}</div>${body}</div>`;
}

function patchLines(patch: string): Html[] {
  const kinds: Record<string, string> = { '+': 'add', '-': 'del', '@': 'hunk' };
  return patch
    .split('\n')
    .map(
      (line) =>
        html`<span class="${kinds[line[0] ?? ''] ?? ''}">${line === '' ? raw('&nbsp;') : line}</span>`,
    );
}

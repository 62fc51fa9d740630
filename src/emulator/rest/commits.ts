import { changedFiles, EMPTY_TREE, seriesText } from '../git/diff.ts';
import { aheadBehind, listCommits, mergeBase } from '../git/history.ts';
import type { Commit } from '../git/objects.ts';
import { listRefs } from '../git/refs.ts';
import { commitJson, fileJson } from '../payloads/commit.ts';
import { repositoryApi } from '../payloads/repository.ts';
import { notFound, ok, problem, type Reply } from '../reply.ts';
import { rulesFor } from '../rules.ts';
import { accountOf, fullName, type Json, type Repository } from '../state.ts';
import { type RepoCall, type Route, repoRoute } from './call.ts';
import { linkHeader, paged, pageOf, slice } from './paging.ts';

const REPO = '/repos/{owner}/{repo}';
// A comparison shows at most this many.
const MAX_COMMITS = 250;
const MAX_FILES = 300;

/** The commit that a branch, tag, `heads/…`, full ref or sha (seven digits at least) names; null for none. */
export async function resolveCommit(repo: Repository, name: string): Promise<Commit | null> {
  const tries = [
    `refs/heads/${name}`,
    `refs/tags/${name}`,
    ...(name.startsWith('refs/') ? [name] : [`refs/${name}`]),
  ];
  if (/^[0-9a-f]{7,40}$/.test(name)) tries.unshift(name);
  for (const one of tries) {
    const commit = await repo.git.commit(one);
    if (commit) return commit;
  }
  return null;
}

/** The commit that a name of any kind leads to; 422 for none. */
export async function mustCommit(call: RepoCall, name: string): Promise<Commit> {
  const commit = await resolveCommit(call.repo, name);
  if (!commit) throw problem(422, `No commit found for SHA: ${name}`);
  return commit;
}

/** Takes `owner:` off a name when it is the repository's own owner. */
async function sideOf(call: RepoCall, name: string): Promise<Commit> {
  const own = `${accountOf(call.world, call.repo.ownerId).login}:`;
  const plain = name.toLowerCase().startsWith(own.toLowerCase()) ? name.slice(own.length) : name;
  const commit = await resolveCommit(call.repo, plain);
  if (!commit) throw notFound();
  return commit;
}

async function commitsOf(call: RepoCall, shas: readonly string[]): Promise<Json[]> {
  const commits = await Promise.all(shas.map((sha) => call.repo.git.commit(sha)));
  return commits.filter((one) => one !== null).map((one) => commitJson(call.world, call.repo, one));
}

async function compare(call: RepoCall): Promise<Reply> {
  const [from = '', to = ''] = (call.params.basehead ?? '').split('...');
  const { repo, world } = call;
  const { dir } = repo.git;
  const [base, head] = [await sideOf(call, from), await sideOf(call, to)];
  if (/\.patch\b/.test(call.accept)) return patchReply(await seriesText(dir, base.sha, head.sha));
  const baseSha = await mergeBase(dir, base.sha, head.sha);
  const common = baseSha && (await repo.git.commit(baseSha));
  if (!common) throw problem(404, `No common ancestor between ${from} and ${to}.`);
  const [counts, shas, files] = await Promise.all([
    aheadBehind(dir, base.sha, head.sha),
    listCommits(dir, { head: head.sha, base: base.sha }),
    changedFiles(dir, common.sha, head.sha),
  ]);
  const page = `${world.url}/${fullName(world, repo)}/compare/${from}...${to}`;
  const shown =
    call.query.has('page') || call.query.has('per_page')
      ? slice(shas, pageOf(call))
      : shas.slice(0, MAX_COMMITS);
  const path = `/repos/${fullName(world, repo)}/compare/${from}...${to}`;
  const first = pageOf(call).number === 1;
  return ok(
    {
      url: `${repositoryApi(world, repo)}/compare/${from}...${to}`,
      html_url: page,
      permalink_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      base_commit: commitJson(world, repo, base),
      merge_base_commit: commitJson(world, repo, common),
      status: statusOf(counts),
      ahead_by: counts.ahead,
      behind_by: counts.behind,
      total_commits: shas.length,
      commits: await commitsOf(call, shown),
      files: first
        ? files.slice(0, MAX_FILES).map((file) => fileJson(world, repo, { file, ref: head.sha }))
        : [],
    },
    call.query.has('per_page') ? linkHeader(call, { path, total: shas.length }) : {},
  );
}

function patchReply(text: string): Reply {
  return {
    status: 200,
    body: text,
    headers: { 'content-type': 'application/vnd.github.patch; charset=utf-8' },
  };
}

function statusOf(counts: { ahead: number; behind: number }): string {
  if (counts.ahead > 0) return counts.behind > 0 ? 'diverged' : 'ahead';
  return counts.behind > 0 ? 'behind' : 'identical';
}

async function getCommit(call: RepoCall): Promise<Reply> {
  const commit = await mustCommit(call, call.params.ref ?? '');
  if (call.accept.includes('.sha')) return { status: 200, body: commit.sha };
  const files = await changedFiles(call.repo.git.dir, commit.parents[0] ?? EMPTY_TREE, commit.sha);
  const additions = files.reduce((sum, file) => sum + file.additions, 0);
  const deletions = files.reduce((sum, file) => sum + file.deletions, 0);
  return ok({
    ...commitJson(call.world, call.repo, commit),
    stats: { additions, deletions, total: additions + deletions },
    files: files
      .slice(0, MAX_FILES)
      .map((file) => fileJson(call.world, call.repo, { file, ref: commit.sha })),
  });
}

async function listHistory(call: RepoCall): Promise<Reply> {
  const start = call.query.get('sha') ?? call.repo.defaultBranch;
  const head = await resolveCommit(call.repo, start);
  if (!head) throw problem(409, 'Git Repository is empty.');
  const shas = await listCommits(call.repo.git.dir, {
    head: head.sha,
    path: call.query.get('path') ?? undefined,
  });
  const path = `/repos/${fullName(call.world, call.repo)}/commits`;
  return ok(await commitsOf(call, slice(shas, pageOf(call))), linkHeader(call, { path, total: shas.length }));
}

function isProtected(call: RepoCall, name: string): boolean {
  return rulesFor(call.repo, name).some((rule) =>
    ['deletion', 'update', 'pull_request', 'non_fast_forward'].includes(rule.type),
  );
}

async function branch(call: RepoCall): Promise<Reply> {
  const name = call.params.branch ?? '';
  const commit = await call.repo.git.commit(`refs/heads/${name}`);
  if (!commit) throw problem(404, 'Branch not found');
  const url = `${repositoryApi(call.world, call.repo)}/branches/${name}`;
  return ok({
    name,
    commit: commitJson(call.world, call.repo, commit),
    _links: { self: url, html: `${call.world.url}/${fullName(call.world, call.repo)}/tree/${name}` },
    protected: isProtected(call, name),
    protection: {
      enabled: false,
      required_status_checks: { enforcement_level: 'off', contexts: [], checks: [] },
    },
    protection_url: `${url}/protection`,
  });
}

async function branches(call: RepoCall): Promise<Reply> {
  const heads = await listRefs(call.repo.git.dir, 'refs/heads/');
  const url = repositoryApi(call.world, call.repo);
  return paged(call, heads, {
    path: `/repos/${fullName(call.world, call.repo)}/branches`,
    show: ({ ref, sha }) => {
      const name = ref.slice('refs/heads/'.length);
      return { name, commit: { sha, url: `${url}/commits/${sha}` }, protected: isProtected(call, name) };
    },
  });
}

/** Commits, comparisons and branches. */
export const commitRoutes: readonly Route[] = [
  repoRoute(`GET ${REPO}/compare/{basehead...}`, 'contents:read', compare),
  repoRoute(`GET ${REPO}/commits`, 'contents:read', listHistory),
  repoRoute(`GET ${REPO}/commits/{ref...}`, 'contents:read', getCommit),
  repoRoute(`GET ${REPO}/branches`, 'contents:read', branches),
  repoRoute(`GET ${REPO}/branches/{branch...}`, 'contents:read', branch),
];

import { editTree, entryAt } from '../git/edit.ts';
import type { Commit, TreeEntry } from '../git/objects.ts';
import { ZERO } from '../git/refs.ts';
import { gitCommitJson, noreply } from '../payloads/commit.ts';
import { repositoryApi } from '../payloads/repository.ts';
import { changeRef } from '../ref-changes.ts';
import { created, notFound, ok, problem, type Reply } from '../reply.ts';
import { refusalOf } from '../rules.ts';
import { fullName, type Json, now } from '../state.ts';
import { optionalText, requiredText } from './body.ts';
import { actingAccount, type RepoCall, type Route, repoRoute } from './call.ts';
import { resolveCommit } from './commits.ts';
import { wrapped } from './git-data.ts';
import { doing } from './issues.ts';

const PATH = '/repos/{owner}/{repo}/contents/{path...}';

interface Place {
  readonly path: string;
  readonly ref: string;
}

function pathOf(call: RepoCall): string {
  const path = (call.params.path ?? '').replace(/^\/+|\/+$/g, '');
  if (path.split('/').some((part) => part === '..' || part === '.git'))
    throw problem(422, 'path contains a malformed path component');
  return path;
}

async function entryJson(call: RepoCall, place: Place, entry: TreeEntry): Promise<Json> {
  const { world, repo } = call;
  const url = `${repositoryApi(world, repo)}/contents/${place.path}?ref=${encodeURIComponent(place.ref)}`;
  const folder = entry.mode === '040000';
  const gitUrl = `${repositoryApi(world, repo)}/git/${folder ? 'trees' : 'blobs'}/${entry.sha}`;
  const html = `${world.url}/${fullName(world, repo)}/${folder ? 'tree' : 'blob'}/${place.ref}/${place.path}`;
  const type = folder ? 'dir' : ({ '120000': 'symlink', '160000': 'submodule' }[entry.mode] ?? 'file');
  const blob = folder || type === 'submodule' ? null : await repo.git.read(entry.sha);
  return {
    name: entry.name,
    path: place.path,
    sha: entry.sha,
    size: blob?.content.length ?? 0,
    url,
    html_url: html,
    git_url: gitUrl,
    download_url: folder ? null : `${world.url}/${fullName(world, repo)}/raw/${place.ref}/${place.path}`,
    type,
    _links: { self: url, git: gitUrl, html },
  };
}

async function read(call: RepoCall): Promise<Reply> {
  const path = pathOf(call);
  const ref = call.query.get('ref') ?? call.repo.defaultBranch;
  const commit = await resolveCommit(call.repo, ref);
  if (!commit)
    throw problem(
      404,
      call.query.has('ref') ? `No commit found for the ref ${ref}` : 'This repository is empty.',
    );
  if (path === '') return ok(await folder(call, { path, ref }, commit.tree));
  const entry = await entryAt(call.repo.git, commit.sha, path);
  if (!entry) throw notFound();
  if (entry.mode === '040000') return ok(await folder(call, { path, ref }, entry.sha));
  const blob = await call.repo.git.read(entry.sha);
  if (!blob) return ok(await entryJson(call, { path, ref }, entry)); // a submodule's commit lives elsewhere
  if (call.accept.includes('raw'))
    return ok(blob.content, { 'content-type': 'application/vnd.github.raw; charset=utf-8' });
  return ok({
    ...(await entryJson(call, { path, ref }, entry)),
    content: wrapped(blob.content),
    encoding: 'base64',
  });
}

async function folder(call: RepoCall, place: Place, tree: string): Promise<Json[]> {
  const entries = (await call.repo.git.tree(tree)) ?? [];
  const below = (name: string) => ({ ...place, path: place.path === '' ? name : `${place.path}/${name}` });
  return Promise.all(entries.map((entry) => entryJson(call, below(entry.name), entry)));
}

interface Write {
  readonly branch: string;
  readonly head: Commit | null;
  readonly path: string;
  readonly existing: TreeEntry | null;
}

async function writeAt(call: RepoCall): Promise<Write> {
  const path = pathOf(call);
  const branch = optionalText(call.body, 'branch') ?? call.repo.defaultBranch;
  const head = await call.repo.git.commit(`refs/heads/${branch}`);
  if (!head && branch !== call.repo.defaultBranch) throw problem(404, `Branch ${branch} not found`);
  const existing = head && (await entryAt(call.repo.git, head.sha, path));
  const sha = optionalText(call.body, 'sha');
  if (existing && !sha) throw problem(422, 'Invalid request.\n\n"sha" wasn\'t supplied.');
  if (sha && existing?.sha !== sha) throw problem(409, `${path} does not match ${sha}`);
  return { branch, head, path, existing };
}

async function commitWrite(call: RepoCall, write: Write, blob: string | null): Promise<Commit> {
  const { git } = call.repo;
  // Workflow files ask for a permission of their own.
  const workflows = call.actor.kind === 'installation' && call.actor.permissions.workflows === undefined;
  if (workflows && write.path.startsWith('.github/workflows/'))
    throw problem(403, 'Resource not accessible by integration');
  const account = actingAccount(call);
  const self = { name: account.login, email: noreply(account), date: now(call.world) };
  const edit = { path: write.path, sha: blob, ...(write.existing ? { mode: write.existing.mode } : {}) };
  const tree = await editTree(git, write.head?.tree ?? null, [edit]);
  const message = requiredText(call.body, 'message');
  const sha = await git.writeCommit({
    tree,
    parents: write.head ? [write.head.sha] : [],
    author: self,
    committer: self,
    message,
  });
  const change = { ref: `refs/heads/${write.branch}`, before: write.head?.sha ?? ZERO, after: sha };
  const refusal = await refusalOf(call.repo, change);
  if (refusal) throw problem(409, `Repository rule violations found\n\n${refusal}\n\n`);
  const moved = await changeRef(doing(call), change);
  if (!moved.ok) throw problem(409, `${write.branch} was changed meanwhile`);
  const commit = await git.commit(sha);
  if (!commit) throw new Error(`commit ${sha} was not written`);
  return commit;
}

async function put(call: RepoCall): Promise<Reply> {
  const content = Buffer.from(requiredText(call.body, 'content'), 'base64');
  requiredText(call.body, 'message');
  const write = await writeAt(call);
  const blob = await call.repo.git.writeBlob(content);
  const commit = await commitWrite(call, write, blob);
  const entry = await entryAt(call.repo.git, commit.sha, write.path);
  if (!entry) throw new Error(`${write.path} was not written`);
  const body = {
    content: await entryJson(call, { path: write.path, ref: write.branch }, entry),
    commit: gitCommitJson(call.world, call.repo, commit),
  };
  return write.existing ? ok(body) : created(body);
}

async function remove(call: RepoCall): Promise<Reply> {
  requiredText(call.body, 'message');
  const write = await writeAt(call);
  if (!write.existing) throw notFound();
  const commit = await commitWrite(call, write, null);
  return ok({ content: null, commit: gitCommitJson(call.world, call.repo, commit) });
}

/** Files by path. */
export const contentRoutes: readonly Route[] = [
  repoRoute('GET /repos/{owner}/{repo}/contents', 'contents:read', read),
  repoRoute(`GET ${PATH}`, 'contents:read', read),
  repoRoute(`PUT ${PATH}`, 'contents:write', put),
  repoRoute(`DELETE ${PATH}`, 'contents:write', remove),
];

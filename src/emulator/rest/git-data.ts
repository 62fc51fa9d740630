import { editTree } from '../git/edit.ts';
import type { Person, TreeEntry } from '../git/objects.ts';
import { gitCommitJson, noreply } from '../payloads/commit.ts';
import { repositoryApi } from '../payloads/repository.ts';
import { created, notFound, ok, problem, type Reply } from '../reply.ts';
import { nodeId, now } from '../state.ts';
import { optionalText, optionalTexts, requiredText } from './body.ts';
import { actingAccount, type RepoCall, type Route, repoRoute } from './call.ts';

const GIT = '/repos/{owner}/{repo}/git';
// GitHub cuts a recursive tree at this many entries.
const MAX_ENTRIES = 100_000;

interface Listed extends TreeEntry {
  readonly path: string;
}

async function listTree(
  call: RepoCall,
  at: { sha: string; prefix: string; recursive: boolean },
): Promise<Listed[]> {
  const entries = (await call.repo.git.tree(at.sha)) ?? [];
  const listed: Listed[] = [];
  for (const entry of entries) {
    const path = at.prefix + entry.name;
    listed.push({ ...entry, path });
    if (at.recursive && entry.mode === '040000' && listed.length < MAX_ENTRIES) {
      listed.push(...(await listTree(call, { ...at, sha: entry.sha, prefix: `${path}/` })));
    }
  }
  return listed;
}

async function entryJson(call: RepoCall, entry: Listed): Promise<Record<string, unknown>> {
  const git = `${repositoryApi(call.world, call.repo)}/git`;
  const common = { path: entry.path, mode: entry.mode, sha: entry.sha };
  if (entry.mode === '160000') return { ...common, type: 'commit' };
  if (entry.mode === '040000') return { ...common, type: 'tree', url: `${git}/trees/${entry.sha}` };
  const blob = await call.repo.git.read(entry.sha);
  return { ...common, type: 'blob', size: blob?.content.length ?? 0, url: `${git}/blobs/${entry.sha}` };
}

async function treeReply(call: RepoCall, name: string, recursive: boolean): Promise<Record<string, unknown>> {
  const found = await call.repo.git.read(`${name}^{tree}`);
  if (found?.type !== 'tree') throw notFound();
  const all = await listTree(call, { sha: found.sha, prefix: '', recursive });
  const tree = await Promise.all(all.slice(0, MAX_ENTRIES).map((entry) => entryJson(call, entry)));
  const url = `${repositoryApi(call.world, call.repo)}/git/trees/${found.sha}`;
  return { sha: found.sha, url, tree, truncated: all.length > MAX_ENTRIES };
}

async function getTree(call: RepoCall): Promise<Reply> {
  const name = call.params.tree_sha ?? '';
  const recursive = call.query.has('recursive') && call.query.get('recursive') !== '';
  const branch = `refs/heads/${name}`;
  return ok(await treeReply(call, (await call.repo.git.read(branch)) ? branch : name, recursive));
}

async function getBlob(call: RepoCall): Promise<Reply> {
  const blob = await call.repo.git.read(call.params.file_sha ?? '');
  if (blob?.type !== 'blob') throw notFound();
  return ok({
    sha: blob.sha,
    node_id: nodeId('B', call.repo.id),
    size: blob.content.length,
    url: `${repositoryApi(call.world, call.repo)}/git/blobs/${blob.sha}`,
    content: wrapped(blob.content),
    encoding: 'base64',
  });
}

/** Base64 in lines of 60 characters, as GitHub sends it. */
export function wrapped(content: Buffer): string {
  return content.toString('base64').replace(/.{1,60}/g, '$&\n');
}

async function createBlob(call: RepoCall): Promise<Reply> {
  const encoding = call.body.encoding === 'base64' ? 'base64' : 'utf8';
  const sha = await call.repo.git.writeBlob(Buffer.from(requiredText(call.body, 'content'), encoding));
  return created({ sha, url: `${repositoryApi(call.world, call.repo)}/git/blobs/${sha}` });
}

async function createTree(call: RepoCall): Promise<Reply> {
  const { git } = call.repo;
  const list: unknown = call.body.tree;
  if (!Array.isArray(list)) throw problem(422, 'Invalid tree info');
  const edits = await Promise.all(
    list.map(async (one: Record<string, unknown>) => {
      const text =
        one.content === undefined ? null : await git.writeBlob(Buffer.from(requiredText(one, 'content')));
      return {
        path: requiredText(one, 'path'),
        mode: optionalText(one, 'mode') ?? '100644',
        sha: text ?? optionalText(one, 'sha') ?? null,
      };
    }),
  );
  const missing = await Promise.all(
    edits.map(async (edit) => edit.sha !== null && (await git.read(edit.sha)) === null),
  );
  if (missing.includes(true)) throw problem(422, 'tree.sha is not a valid blob');
  const base = typeof call.body.base_tree === 'string' ? call.body.base_tree : null;
  if (base !== null && (await git.tree(base)) === null) throw problem(422, 'Tree SHA does not exist');
  return created(await treeReply(call, await editTree(git, base, edits), false));
}

async function createCommit(call: RepoCall): Promise<Reply> {
  const { git } = call.repo;
  const account = actingAccount(call);
  const tree = requiredText(call.body, 'tree');
  if ((await git.tree(tree)) === null) throw problem(422, 'Tree SHA does not exist');
  const parents = optionalTexts(call.body, 'parents') ?? [];
  for (const parent of parents)
    if (!(await git.commit(parent)))
      throw problem(422, 'Parent SHA does not exist or is not a commit object');
  const self = { name: account.login, email: noreply(account), date: now(call.world) };
  const author = personIn(call.body.author, self);
  const committer = personIn(call.body.committer, author);
  const sha = await git.writeCommit({
    tree,
    parents,
    author,
    committer,
    message: requiredText(call.body, 'message'),
  });
  // What an App makes in its own name is signed; a name or a date that somebody gives is nobody's to sign.
  const own = call.body.author === undefined && call.body.committer === undefined;
  if (own && call.actor.kind === 'installation') call.repo.signedCommits.add(sha);
  const commit = await git.commit(sha);
  if (!commit) throw new Error(`commit ${sha} was not written`);
  return created(gitCommitJson(call.world, call.repo, commit));
}

function personIn(value: unknown, fallback: Person): Person {
  if (typeof value !== 'object' || value === null) return fallback;
  const { name, email, date } = value as Record<string, unknown>;
  return {
    name: typeof name === 'string' ? name : fallback.name,
    email: typeof email === 'string' ? email : fallback.email,
    date: typeof date === 'string' ? new Date(date) : fallback.date,
  };
}

/** Trees, blobs and commits as git objects. */
export const gitDataRoutes: readonly Route[] = [
  repoRoute(`GET ${GIT}/trees/{tree_sha...}`, 'contents:read', getTree),
  repoRoute(`POST ${GIT}/trees`, 'contents:write', createTree),
  repoRoute(`GET ${GIT}/blobs/{file_sha}`, 'contents:read', getBlob),
  repoRoute(`POST ${GIT}/blobs`, 'contents:write', createBlob),
  repoRoute(`GET ${GIT}/commits/{commit_sha}`, 'contents:read', async (call) => {
    const commit = await call.repo.git.commit(call.params.commit_sha ?? '');
    if (!commit) throw notFound();
    return ok(gitCommitJson(call.world, call.repo, commit));
  }),
  repoRoute(`POST ${GIT}/commits`, 'contents:write', createCommit),
];

import { isAncestor } from '../git/history.ts';
import { isRefName, listRefs, type Ref, ZERO } from '../git/refs.ts';
import { repositoryApi } from '../payloads/repository.ts';
import { changeRef } from '../ref-changes.ts';
import { created, noContent, notFound, ok, problem, type Reply } from '../reply.ts';
import { type BranchChange, refusalOf } from '../rules.ts';
import { nodeId } from '../state.ts';
import { flag, requiredText } from './body.ts';
import { type RepoCall, type Route, repoRoute } from './call.ts';
import { doing } from './issues.ts';

const GIT = '/repos/{owner}/{repo}/git';

function refJson(call: RepoCall, ref: Ref): Record<string, unknown> {
  const git = `${repositoryApi(call.world, call.repo)}/git`;
  const kind = { commit: 'commits', tag: 'tags', tree: 'trees', blob: 'blobs' }[ref.type] ?? 'commits';
  return {
    ref: ref.ref,
    node_id: nodeId('REF', call.repo.id),
    url: `${git}/${ref.ref}`,
    object: { sha: ref.sha, type: ref.type, url: `${git}/${kind}/${ref.sha}` },
  };
}

async function readRef(call: RepoCall, name: string): Promise<Ref | null> {
  if (!isRefName(name)) return null;
  const object = await call.repo.git.read(name);
  return object && { ref: name, sha: object.sha, type: object.type };
}

/** 409 for a repository without any commit. */
async function requireHistory(call: RepoCall): Promise<void> {
  if (await call.repo.git.read(`refs/heads/${call.repo.defaultBranch}`)) return;
  if ((await listRefs(call.repo.git.dir)).length === 0) throw problem(409, 'Git Repository is empty.');
}

async function requireObject(call: RepoCall, ref: string): Promise<Ref> {
  const sha = requiredText(call.body, 'sha');
  if (!/^[0-9a-f]{40}$/.test(sha))
    throw problem(422, 'The sha parameter must be exactly 40 characters and contain only [0-9a-f].');
  const object = await call.repo.git.read(sha);
  if (!object) throw problem(422, 'Object does not exist');
  if (ref.startsWith('refs/heads/') && object.type !== 'commit')
    throw problem(422, 'Reference update failed');
  return { ref, sha, type: object.type };
}

async function apply(call: RepoCall, change: BranchChange): Promise<void> {
  const refusal = await refusalOf(call.repo, change);
  if (refusal) throw problem(422, `Repository rule violations found\n\n${refusal}\n\n`);
  const result = await changeRef(doing(call), change);
  if (result.ok) return;
  if (result.reason === 'exists') throw problem(422, 'Reference already exists');
  throw problem(
    422,
    result.reason === 'conflict' ? 'Reference update failed' : 'Reference cannot be updated',
  );
}

async function create(call: RepoCall): Promise<Reply> {
  const ref = requiredText(call.body, 'ref');
  if (!isRefName(ref)) throw problem(422, `Reference name must be a valid ref: ${ref}`);
  await requireHistory(call);
  const target = await requireObject(call, ref);
  if (await readRef(call, ref)) throw problem(422, 'Reference already exists');
  await apply(call, { ref, before: ZERO, after: target.sha });
  return created(refJson(call, target));
}

async function update(call: RepoCall): Promise<Reply> {
  const ref = `refs/${call.params.ref}`;
  const force = flag(call.body, 'force', false);
  await requireHistory(call);
  const target = await requireObject(call, ref);
  const current = await readRef(call, ref);
  if (!current) throw problem(422, 'Reference does not exist');
  if (current.sha !== target.sha) {
    if (!force && !(await isAncestor(call.repo.git.dir, current.sha, target.sha))) {
      throw problem(422, 'Update is not a fast forward');
    }
    await apply(call, { ref, before: current.sha, after: target.sha });
  }
  return ok(refJson(call, target));
}

async function remove(call: RepoCall): Promise<Reply> {
  const ref = `refs/${call.params.ref}`;
  const current = await readRef(call, ref);
  if (!current) throw problem(422, 'Reference does not exist');
  if (ref === `refs/heads/${call.repo.defaultBranch}`) throw problem(422, 'Cannot delete the default branch');
  await apply(call, { ref, before: current.sha, after: ZERO });
  return noContent();
}

/** References, hidden ones too. */
export const refRoutes: readonly Route[] = [
  repoRoute(`GET ${GIT}/ref/{ref...}`, 'contents:read', async (call) => {
    await requireHistory(call);
    const ref = await readRef(call, `refs/${call.params.ref}`);
    if (!ref) throw notFound();
    return ok(refJson(call, ref));
  }),
  repoRoute(`GET ${GIT}/matching-refs/{ref...}`, 'contents:read', async (call) => {
    await requireHistory(call);
    const refs = await listRefs(call.repo.git.dir, `refs/${call.params.ref}`);
    return ok(refs.map((ref) => refJson(call, ref)));
  }),
  repoRoute(`POST ${GIT}/refs`, 'contents:write', create),
  repoRoute(`PATCH ${GIT}/refs/{ref...}`, 'contents:write', update),
  repoRoute(`DELETE ${GIT}/refs/{ref...}`, 'contents:write', remove),
];

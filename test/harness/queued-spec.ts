import type { SpecRow } from '../../src/db/specs.ts';
import { inspectWork } from '../../src/services/branches/inspect.ts';
import { branchName } from '../../src/services/branches/name.ts';
import { carryOut } from '../../src/services/spec/commands.ts';
import { acceptDemoArtifacts } from './artifacts.ts';
import type { Desk } from './desk.ts';

export interface QueuedSpec {
  readonly issue: number;
  readonly spec: SpecRow;
  /** The name that its branch will have. */
  readonly branch: string;
}

export interface FinishedSpec extends QueuedSpec {
  /** The effect that opens its pull request, once it is asked for. */
  effect(): Promise<ReturnType<typeof JSON.parse>>;
  publish(): ReturnType<typeof inspectWork>;
}

/** A queued spec, whose id and name are known before anything is made for it. */
export async function queuedSpec(desk: Desk): Promise<QueuedSpec> {
  const issue = await desk.openIssue();
  await desk.label(issue);
  const spec = await desk.spec(issue);
  return { issue, spec, branch: branchName(spec.id, spec.title) };
}

/** Asks for the branch of a queued spec, as its preparation does. */
export async function askForBranch(desk: Desk, spec: SpecRow): Promise<void> {
  const { deps } = desk.app.opened;
  const base = { base_branch: 'main', base_sha: await mainOf(desk) };
  await deps.db('specs').where({ id: spec.id }).update(base);
  await deps.db.transaction((trx) =>
    carryOut(deps, { trx, delivery: null }, { spec, command: { do: 'create_branch' } }),
  );
  await desk.settle();
}

/** A spec whose work is done and checked: its branch is at the base, and what is to be published lies elsewhere. */
export async function finishedSpec(desk: Desk): Promise<FinishedSpec> {
  const { issue, spec, branch } = await queuedSpec(desk);
  await askForBranch(desk, spec);
  const side = `side-${spec.id.slice(0, 8)}`;
  await makeBranch(desk, side, await mainOf(desk));
  await commitTo(desk, side, `work-${issue}.txt`);
  const sha = (await desk.repository()).branches[side];
  await acceptDemoArtifacts(desk.database.db, spec.id);
  const at = { status: 'publishing', phase: 'publish', checkpoint_sha: sha };
  await desk.database.db('specs').where({ id: spec.id }).update(at);
  return {
    issue,
    spec,
    branch,
    effect: () => desk.database.db('effects').where({ spec_id: spec.id, kind: 'open_pull' }).first(),
    publish: () => inspectWork(desk.app.opened.deps, { specId: spec.id }),
  };
}

/** The branches that are a spec's, by their names. */
export async function branchesOf(desk: Desk, spec: SpecRow): Promise<string[]> {
  const { branches } = await desk.repository();
  return Object.keys(branches).filter(
    (name) => name.startsWith('spec') && name.includes(spec.id.slice(0, 8)),
  );
}

/** Where the default branch is. */
export async function mainOf(desk: Desk): Promise<string> {
  return (await desk.repository()).branches.main!;
}

/** Makes a branch in the name of the maintainer. */
export async function makeBranch(desk: Desk, name: string, sha: string): Promise<void> {
  await desk.api('POST', `${desk.path}/git/refs`, { ref: `refs/heads/${name}`, sha });
}

/** Commits a file to a branch in the name of the maintainer. */
export async function commitTo(desk: Desk, branch: string, path: string): Promise<void> {
  const file = { message: 'By hand', content: 'aGFuZA==', branch };
  await desk.api('PUT', `${desk.path}/contents/${path}`, file);
}

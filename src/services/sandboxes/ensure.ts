/**
 * Gives a spec its one sandbox.
 *
 * Race ledger
 * - Two jobs for one spec → the partial unique index on live sandboxes lets one insert its row.
 * - We die between the row and the provider's call → the owner's lock falls, another worker closes the row and asks
 *   again; nothing of ours runs, since a local sandbox dies with its worker.
 * - Another sandbox comes and goes between the question to GitHub and the row → the generation tells; asked again.
 * - The spec ends while the provider is still at it → the row is no longer "requested", and what was made is
 *   destroyed at once.
 */

import { randomUUID } from 'node:crypto';
import { crashPoint } from '../../crash-point.ts';
import { insertSandbox, liveSandbox, markGone, markRunning } from '../../db/sandboxes.ts';
import { lockSpec, raiseGeneration, readSpec, type SpecRow } from '../../db/specs.ts';
import { FatalError, messageOf, StaleError } from '../../errors.ts';
import type { RepoRef } from '../../github/client.ts';
import type { RunnerConfig } from '../../runner/protocol.ts';
import type { SandboxProvider } from '../../sandbox/provider.ts';
import { agentProblems } from '../agents/problems.ts';
import { checkpointRef } from '../branches/name.ts';
import type { Deps, SandboxChoice } from '../deps.ts';
import { reachOf } from '../effects/target.ts';
import type { Settings } from '../settings/schema.ts';
import { advanceAlone } from '../spec/advance.ts';
import { settingsOf } from '../spec/work.ts';
import { readCheckpoint } from './checkpoint.ts';
import { runEnvironment } from './environment.ts';
import { loseSandbox } from './lose.ts';
import { lossOf } from './losses.ts';
import { instanceLabels } from './reap.ts';

interface Claim {
  readonly id: string;
  readonly spec: SpecRow;
  readonly generation: number;
  readonly repo: RepoRef;
  readonly start: { readonly sha: string; readonly ref: string };
}

/** Makes sure that a spec which works has a sandbox with a runner in it. */
export async function ensureSandbox(deps: Deps, { specId }: { specId: string }): Promise<void> {
  const choice = deps.sandboxes;
  if (choice.kind === 'elsewhere') throw new FatalError('this process runs no sandboxes');
  if (choice.kind === 'none') return refuse(deps, specId, `${choice.reason} ${choice.fix}`);
  const before = await readStart(deps, specId);
  if (!before) return;
  const problems = await agentProblems(deps, before.settings);
  if (problems.length > 0) return refuse(deps, specId, problems.join(' '));
  const claim = await claimSandbox(deps, before, choice.provider.name);
  if (!claim) return;
  crashPoint('sandbox.row-written');
  const log = deps.log.child({ spec: specId, sandbox: claim.id });
  try {
    await build(deps, choice, claim);
    log.info({ generation: claim.generation }, 'sandbox started');
  } catch (error) {
    log.error({ error: messageOf(error) }, 'sandbox could not be started');
    await giveUp(deps, claim, messageOf(error));
  }
}

interface Before {
  readonly specId: string;
  /** The generation at which the start was read. */
  readonly generation: number;
  readonly start: { readonly sha: string; readonly ref: string };
  readonly settings: Settings;
}

/**
 * What the next sandbox starts from: the checkpoint as GitHub has it, or the base. Asked before a row is written: while
 * GitHub does not answer, the job waits, and nothing counts as a loss. Null when the spec needs no sandbox now.
 */
async function readStart(deps: Deps, specId: string): Promise<Before | null> {
  const spec = await readSpec(deps.db, specId);
  if (!needsSandbox(spec) || (await liveSandbox(deps.db, specId))) return null;
  const { generation } = spec;
  const base = { sha: spec.base_sha!, ref: `refs/heads/${spec.base_branch}` };
  const settings = settingsOf(spec);
  if (generation === 0) return { specId, generation, start: base, settings };
  const reach = await reachOf(deps.db, spec.repository_id);
  if (reach.kind !== 'open') return null;
  // An earlier sandbox may have pushed without our hearing of it.
  const sha = await readCheckpoint(deps, { specId, repo: reach.repo });
  const start = sha === null ? base : { sha, ref: checkpointRef(specId) };
  return { specId, generation, start, settings };
}

function needsSandbox(spec: SpecRow | null): spec is SpecRow {
  return spec !== null && (spec.status === 'planning' || spec.status === 'executing') && spec.hold === null;
}

/**
 * Writes the row before anything is made. Null when the spec needs no sandbox now or has one.
 * @throws StaleError when the spec has had another sandbox since its start was read
 */
async function claimSandbox(deps: Deps, before: Before, provider: string): Promise<Claim | null> {
  const { specId, start } = before;
  return deps.db.transaction(async (trx) => {
    const spec = await lockSpec(trx, specId);
    if (!needsSandbox(spec) || (await liveSandbox(trx, specId))) return null;
    if (spec.generation !== before.generation) throw new StaleError('another sandbox came and went');
    const generation = await raiseGeneration(trx, specId);
    const id = randomUUID();
    const reach = await reachOf(trx, spec.repository_id);
    if (reach.kind !== 'open') return null;
    const repository = `${reach.repo.owner}/${reach.repo.name}`;
    const row = { id, spec_id: specId, provider, repository, owner: deps.workerId, generation };
    return (await insertSandbox(trx, row)) ? { id, spec, generation, repo: reach.repo, start } : null;
  });
}

async function build(
  deps: Deps,
  choice: Extract<SandboxChoice, { kind: 'ready' }>,
  claim: Claim,
): Promise<void> {
  const { provider } = choice;
  const { limits } = settingsOf(claim.spec);
  const instance = await provider.create({
    id: claim.id,
    labels: { ...(await instanceLabels(deps)), spec: claim.spec.id },
    limits,
    files: [...deps.runnerFiles, ...deps.agents.files],
    serveGateway: (socketPath) => deps.serveGateway(socketPath, claim.id),
  });
  crashPoint('sandbox.created');
  const { externalId } = instance;
  if (!(await markRunning(deps.db, { id: claim.id, externalId, isolated: choice.isolated }))) {
    await provider.destroy(claim.id);
    await markGone(deps.db, claim.id);
    return;
  }
  crashPoint('sandbox.before-launch');
  await launch(deps, provider, claim);
  crashPoint('sandbox.launched');
}

/** Starts the runner. When it ends without being asked to, the sandbox is lost. */
async function launch(deps: Deps, provider: SandboxProvider, claim: Claim): Promise<void> {
  const paths = provider.paths(claim.id);
  const config: RunnerConfig = {
    gateway: { kind: 'socket', path: paths.gatewaySocket! },
    sandboxId: claim.id,
    generation: claim.generation,
    repository: `${claim.repo.owner}/${claim.repo.name}`,
    startSha: claim.start.sha,
    startRef: claim.start.ref,
    workspace: paths.workspace,
    home: paths.home,
    tools: paths.tools,
    node: paths.node,
    agents: paths.agents,
    heartbeatMs: deps.timing.heartbeatMs,
    environment: runEnvironment({
      spec: claim.spec,
      sandboxId: claim.id,
      generation: claim.generation,
      owner: claim.repo.owner,
      name: claim.repo.name,
    }),
  };
  const file = `${paths.home}/runner.json`;
  await provider.upload(claim.id, file, JSON.stringify(config));
  const runner = await provider.spawn(claim.id, {
    argv: [paths.node, `${paths.tools}/runner.mjs`, file],
    env: { HOME: paths.home, PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
  });
  const log = deps.log.child({ spec: claim.spec.id, sandbox: claim.id });
  runner.onOutput((stream, text) => log.debug({ stream, bytes: text.length }, 'runner output'));
  void runner.exited.then(({ code }) => runnerEnded(deps, provider, { sandboxId: claim.id, code }));
}

/** Where the sandbox has ended along with its runner, the provider knows why, and its word is on its way. */
async function runnerEnded(
  deps: Deps,
  provider: SandboxProvider,
  { sandboxId, code }: { sandboxId: string; code: number },
): Promise<void> {
  try {
    if ((await provider.get(sandboxId))?.state !== 'running') return;
  } catch (error) {
    deps.log.warn({ sandbox: sandboxId, error: messageOf(error) }, 'state of a sandbox is not known');
  }
  await reportEnd(deps, sandboxId, lossOf('ended', `its runner ended with code ${code}`));
}

/** A sandbox ended by itself; one that was told to end is closed already, and nothing comes of it. */
export async function reportEnd(deps: Deps, sandboxId: string, reason: string): Promise<void> {
  try {
    await deps.db.transaction((trx) => loseSandbox(deps, { trx, delivery: null }, { sandboxId, reason }));
  } catch (error) {
    // The heartbeat's end finds it again.
    deps.log.error({ sandbox: sandboxId, error: messageOf(error) }, 'end of a sandbox could not be recorded');
  }
}

/**
 * A failed start counts as a loss: tried again a few times, then the spec fails with the cause. What was made of it is
 * ended like any other closed sandbox, so that a failure of that is tried again as well.
 */
async function giveUp(deps: Deps, claim: Claim, cause: string): Promise<void> {
  const lost = { sandboxId: claim.id, reason: lossOf('not_started', cause) };
  await deps.db.transaction((trx) => loseSandbox(deps, { trx, delivery: null }, lost));
}

async function refuse(deps: Deps, specId: string, cause: string): Promise<void> {
  const spec = await readSpec(deps.db, specId);
  if (!spec) return;
  await advanceAlone(deps, { specId, input: { type: 'sandbox_refused', cause } });
}

/**
 * Gives a spec its one sandbox.
 *
 * Race ledger
 * - Two jobs for one spec → the partial unique index on live sandboxes lets one insert its row.
 * - We die between the row and the provider's call → the owner's lock falls, another worker closes the row and asks
 *   again; nothing of ours runs, since a local sandbox dies with its worker.
 * - The spec ends while the provider is still at it → the row is no longer "requested", and what was made is
 *   destroyed at once.
 */
import { randomUUID } from 'node:crypto';
import { insertSandbox, liveSandbox, markGone, markRunning } from '../../db/sandboxes.ts';
import { lockSpec, raiseGeneration, readSpec, type SpecRow } from '../../db/specs.ts';
import { FatalError, messageOf } from '../../errors.ts';
import type { RepoRef } from '../../github/client.ts';
import type { RunnerConfig } from '../../runner/protocol.ts';
import type { SandboxProvider } from '../../sandbox/provider.ts';
import { checkpointRef } from '../branches/name.ts';
import type { Deps, SandboxChoice } from '../deps.ts';
import { reachOf } from '../effects/target.ts';
import { advanceAlone } from '../spec/advance.ts';
import { settingsOf } from '../spec/work.ts';
import { readCheckpoint } from './checkpoint.ts';
import { runEnvironment } from './environment.ts';
import { loseSandbox } from './lose.ts';

interface Claim {
  readonly id: string;
  readonly spec: SpecRow;
  readonly generation: number;
  readonly repo: RepoRef;
}

/** Makes sure that a spec which works has a sandbox with a runner in it. */
export async function ensureSandbox(deps: Deps, { specId }: { specId: string }): Promise<void> {
  const choice = deps.sandboxes;
  if (choice.kind === 'elsewhere') throw new FatalError('this process runs no sandboxes');
  if (choice.kind === 'none') return refuse(deps, specId, `${choice.reason} ${choice.fix}`);
  const claim = await claimSandbox(deps, specId, choice.provider.name);
  if (!claim) return;
  const log = deps.log.child({ spec: specId, sandbox: claim.id });
  try {
    await build(deps, choice, claim);
    log.info({ generation: claim.generation }, 'sandbox started');
  } catch (error) {
    log.error({ error: messageOf(error) }, 'sandbox could not be started');
    await choice.provider.destroy(claim.id);
    await giveUp(deps, claim, messageOf(error));
  }
}

/** Writes the row before anything is made. Null when the spec needs no sandbox now or has one. */
async function claimSandbox(deps: Deps, specId: string, provider: string): Promise<Claim | null> {
  return deps.db.transaction(async (trx) => {
    const spec = await lockSpec(trx, specId);
    const works = spec !== null && (spec.status === 'planning' || spec.status === 'executing');
    if (!works || spec.hold !== null || (await liveSandbox(trx, specId))) return null;
    const generation = await raiseGeneration(trx, specId);
    const id = randomUUID();
    const reach = await reachOf(trx, spec.repository_id);
    if (reach.kind !== 'open') return null;
    const repository = `${reach.repo.owner}/${reach.repo.name}`;
    const row = { id, spec_id: specId, provider, repository, owner: deps.workerId, generation };
    return (await insertSandbox(trx, row)) ? { id, spec, generation, repo: reach.repo } : null;
  });
}

async function build(
  deps: Deps,
  choice: Extract<SandboxChoice, { kind: 'ready' }>,
  claim: Claim,
): Promise<void> {
  const { provider } = choice;
  const { limits } = settingsOf(claim.spec);
  const start = await startOf(deps, claim);
  const instance = await provider.create({
    id: claim.id,
    labels: { project: 'specwright', spec: claim.spec.id },
    limits,
    files: [...deps.runnerFiles, ...(deps.agent.kind === 'ready' ? deps.agent.files : [])],
    serveGateway: (socketPath) => deps.serveGateway(socketPath, claim.id),
  });
  const { externalId } = instance;
  if (!(await markRunning(deps.db, { id: claim.id, externalId, isolated: choice.isolated }))) {
    await provider.destroy(claim.id);
    await markGone(deps.db, claim.id);
    return;
  }
  await launch(deps, provider, { claim, start });
}

/** What the new sandbox starts from: the checkpoint as GitHub has it, or the base. */
async function startOf(deps: Deps, { spec, generation, repo }: Claim): Promise<{ sha: string; ref: string }> {
  const base = { sha: spec.base_sha!, ref: `refs/heads/${spec.base_branch}` };
  if (generation === 1) return base;
  // An earlier sandbox may have pushed without our hearing of it.
  const sha = await readCheckpoint(deps, { specId: spec.id, repo });
  return sha === null ? base : { sha, ref: checkpointRef(spec.id) };
}

/** Starts the runner. When it ends without being asked to, the sandbox is lost. */
async function launch(
  deps: Deps,
  provider: SandboxProvider,
  { claim, start }: { claim: Claim; start: { sha: string; ref: string } },
): Promise<void> {
  const paths = provider.paths(claim.id);
  const config: RunnerConfig = {
    gateway: { kind: 'socket', path: paths.gatewaySocket! },
    sandboxId: claim.id,
    generation: claim.generation,
    repository: `${claim.repo.owner}/${claim.repo.name}`,
    startSha: start.sha,
    startRef: start.ref,
    workspace: paths.workspace,
    home: paths.home,
    tools: paths.tools,
    node: paths.node,
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
  void runner.exited.then(({ code }) =>
    reportEnd(deps, claim.id, `lost: the runner ended with code ${code}`),
  );
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

/** A failed start counts as a loss: tried again a few times, then the spec fails with the cause. */
async function giveUp(deps: Deps, claim: Claim, cause: string): Promise<void> {
  await deps.db.transaction((trx) =>
    loseSandbox(
      deps,
      { trx, delivery: null },
      { sandboxId: claim.id, reason: `lost: it did not start: ${cause}` },
    ),
  );
  await markGone(deps.db, claim.id);
}

async function refuse(deps: Deps, specId: string, cause: string): Promise<void> {
  const spec = await readSpec(deps.db, specId);
  if (!spec) return;
  await advanceAlone(deps, { specId, input: { type: 'sandbox_refused', cause } });
}

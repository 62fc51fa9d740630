/**
 * Holds the provider's instances against the rows, both ways: an instance that no row stands for is destroyed, and a
 * row without an instance is closed, so that its spec goes on.
 *
 * Race ledger
 * - An instance is listed while it is being made → its row was written before it, and is read after it was listed.
 * - A database that was set back has forgotten a row → an instance is left alone until it is GRACE_MS old.
 * - An instance is destroyed in the ordinary way meanwhile → destroying it again is success, and its row is closed.
 * - Two workers reap one provider at once → the same; a local provider lists its own process's sandboxes only.
 */
import { readDeploymentId } from '../../db/deployment.ts';
import { listRunning, readSandbox, type SandboxRow } from '../../db/sandboxes.ts';
import { messageOf } from '../../errors.ts';
import type { SandboxInstance, SandboxProvider } from '../../sandbox/provider.ts';
import type { Deps } from '../deps.ts';
import { loseSandbox } from './lose.ts';
import { lossOf } from './losses.ts';

const GRACE_MS = 120_000;
const PAGE = 100;

/** What every instance of this deployment is labelled with. */
export async function instanceLabels(deps: Pick<Deps, 'db'>): Promise<Record<string, string>> {
  return { project: 'specwright', deployment: await readDeploymentId(deps.db) };
}

/** One pass over instances, rows and what dead processes left on this machine. One failure never keeps the others. */
export async function reap(deps: Deps, provider: SandboxProvider): Promise<void> {
  await step(deps, 'leftovers', () => provider.sweep());
  await step(deps, 'instances', () => reapInstances(deps, provider));
  await step(deps, 'rows', () => closeRows(deps, provider));
}

async function reapInstances(deps: Deps, provider: SandboxProvider): Promise<void> {
  for await (const instance of provider.list(await instanceLabels(deps))) {
    await step(deps, instance.id, () => reapOne(deps, provider, instance));
  }
}

async function reapOne(deps: Deps, provider: SandboxProvider, instance: SandboxInstance): Promise<void> {
  const row = await readSandbox(deps.db, instance.id);
  if (row !== null && row.state !== 'gone') return;
  if (deps.clock.now().getTime() - instance.createdAt.getTime() < GRACE_MS) return;
  await provider.destroy(instance.id);
  deps.log.warn(
    { sandbox: instance.id, known: row !== null },
    'sandbox that no row stands for was destroyed',
  );
}

async function closeRows(deps: Deps, provider: SandboxProvider): Promise<void> {
  const owner = provider.capabilities.diesWithOwner ? deps.workerId : null;
  let after: string | null = null;
  do {
    const of = { provider: provider.name, owner, after, limit: PAGE };
    const rows: SandboxRow[] = await listRunning(deps.db, of);
    for (const { id } of rows) await step(deps, id, () => closeRow(deps, provider, id));
    after = rows.length === PAGE ? rows.at(-1)!.id : null;
  } while (after !== null);
}

async function closeRow(deps: Deps, provider: SandboxProvider, sandboxId: string): Promise<void> {
  const instance = await provider.get(sandboxId);
  if (instance !== null && instance.state !== 'gone') return;
  const lost = { sandboxId, reason: lossOf('vanished') };
  await deps.db.transaction((trx) => loseSandbox(deps, { trx, delivery: null }, lost));
}

async function step(deps: Deps, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log.error({ what, error: messageOf(error) }, 'reaping failed, to be tried again');
  }
}

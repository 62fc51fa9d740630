import { listSweeps } from '../../db/sweeps.ts';
import { messageOf } from '../../errors.ts';
import { agentProblems } from '../agents/problems.ts';
import type { Deps } from '../deps.ts';
import { defaultSettings } from '../settings/schema.ts';
import { HOOK_SWEEP } from './hook-sweep.ts';
import { RECONCILE } from './reconcile/pass.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
}

/** What this process needs to do its work, as it is now. */
export async function checkProcess(deps: Deps): Promise<Check[]> {
  const store = await database(deps);
  return [store, sandboxes(deps), await agent(deps), ...(store.ok ? await lostWebhooks(deps) : [])];
}

async function database(deps: Deps): Promise<Check> {
  try {
    await deps.db.raw('select 1');
    return { name: 'database', ok: true };
  } catch (error) {
    deps.log.warn({ error: messageOf(error) }, 'the database does not answer');
    return { name: 'database', ok: false, reason: 'the database does not answer' };
  }
}

/** How many webhooks were lost and found again since the database was made; nothing to wait for. */
async function lostWebhooks(deps: Deps): Promise<Check[]> {
  const rows = await listSweeps(deps.db);
  if (rows.length === 0) return [];
  const count = (sweep: string, path: readonly string[]): number => {
    const state: unknown = rows.find(({ name }) => name === sweep)?.state;
    const value = path.reduce<unknown>(
      (at, key) => (at as Record<string, unknown> | undefined)?.[key],
      state,
    );
    return typeof value === 'number' ? value : 0;
  };
  const sent = count(HOOK_SWEEP, ['totals', 'redelivered']);
  const read = count(HOOK_SWEEP, ['totals', 'fed']);
  const lost = count(HOOK_SWEEP, ['totals', 'givenUp']) + count(HOOK_SWEEP, ['totals', 'expired']);
  const facts = count(RECONCILE, ['facts']);
  const reason = `${sent} sent again, ${read} read from GitHub, ${lost} given up; ${facts} facts found without a webhook`;
  return [{ name: 'webhooks', ok: true, reason }];
}

function sandboxes({ sandboxes: choice }: Deps): Check {
  if (choice.kind === 'none')
    return { name: 'sandboxes', ok: false, reason: `${choice.reason} ${choice.fix}` };
  if (choice.kind === 'elsewhere') return { name: 'sandboxes', ok: true, reason: 'run by other processes' };
  if (choice.isolated) return { name: 'sandboxes', ok: true };
  return { name: 'sandboxes', ok: true, reason: 'UNSAFE: plain processes without isolation' };
}

/** A missing agent keeps specs from starting and says so on each; the process itself is ready. */
async function agent(deps: Deps): Promise<Check> {
  const preferred = deps.agents.preferred ?? defaultSettings.agent;
  if (preferred === 'command') return { name: 'agent', ok: true };
  const [reason] = await agentProblems(deps, { ...defaultSettings, agent: preferred });
  return { name: 'agent', ok: true, ...(reason === undefined ? {} : { reason }) };
}

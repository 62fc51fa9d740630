import { messageOf } from '../../errors.ts';
import type { Deps } from '../deps.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string;
}

/** What this process needs to do its work, as it is now. */
export async function checkProcess(deps: Deps): Promise<Check[]> {
  return [await database(deps), sandboxes(deps), agent(deps)];
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

function sandboxes({ sandboxes: choice }: Deps): Check {
  if (choice.kind === 'none')
    return { name: 'sandboxes', ok: false, reason: `${choice.reason} ${choice.fix}` };
  if (choice.kind === 'elsewhere') return { name: 'sandboxes', ok: true, reason: 'run by other processes' };
  if (choice.isolated) return { name: 'sandboxes', ok: true };
  return { name: 'sandboxes', ok: true, reason: 'UNSAFE: plain processes without isolation' };
}

/** A missing agent keeps specs from starting and says so on each; the process itself is ready. */
function agent({ agent: choice }: Deps): Check {
  return choice.kind === 'ready'
    ? { name: 'agent', ok: true }
    : { name: 'agent', ok: true, reason: choice.reason };
}

import { loadConfig, secretsOf } from './config.ts';
import { openDeps } from './deps.ts';
import { UserError } from './errors.ts';
import { decideWith, gatherFor } from './handlers/gather.ts';
import type { Handler, Verdict } from './handlers/handler.ts';
import { createLogger } from './log.ts';

/**
 * Handles one event outside the inbox and leaves what follows from it (jobs, effects) to the next worker.
 * @throws UserError when the environment is not enough to run
 */
export async function receiveAlone(
  handler: Handler,
  event: { id: string; payload: unknown },
): Promise<Verdict> {
  const read = loadConfig(process.env);
  if (!read.ok) {
    throw new UserError(
      read.problems.map(({ name, problem, fix }) => `${name} ${problem}. ${fix}`).join('\n'),
    );
  }
  const log = createLogger({ level: read.config.logLevel, secrets: secretsOf(read.config) });
  const opened = await openDeps(read.config, log, { worker: false });
  try {
    const payload = handler.payload.parse(event.payload);
    const gathered = await gatherFor(opened.deps, handler, payload);
    return await opened.deps.db.transaction((trx) =>
      decideWith(opened.deps, handler, { unit: { trx, delivery: event.id }, payload, gathered }),
    );
  } finally {
    await opened.close();
  }
}

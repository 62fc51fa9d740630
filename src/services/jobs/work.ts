/**
 * Race ledger
 * - A worker dies with a job → pg-boss gives it to another after 10 s; every handler looks first what is done
 *   already, so a second run changes nothing (test/crash).
 * - Two workers run the same job (the first was only slow) → the row's lease or the spec's lock lets one through.
 * - A worker is told to stop → it takes no more jobs and finishes those it has, each under 20 s; no attempt is lost.
 */

import type { PgBoss } from 'pg-boss';
import { crashPoint } from '../../crash-point.ts';
import { messageOf } from '../../errors.ts';
import type { Deps } from '../deps.ts';
import { type JobName, type JobPayloads, jobNames } from './jobs.ts';

export type JobHandlers = { readonly [N in JobName]: (deps: Deps, data: JobPayloads[N]) => Promise<void> };

/** How many jobs of one kind run at once in one process. */
const CONCURRENCY = 4;

/** Starts taking jobs. A handler that throws is tried again by pg-boss with growing pauses. */
export async function startWork(boss: PgBoss, deps: Deps, handlers: JobHandlers): Promise<void> {
  for (const name of jobNames) {
    await boss.work<JobPayloads[typeof name]>(
      name,
      { localConcurrency: CONCURRENCY, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 1 },
      async (jobs) => {
        for (const job of jobs) await runJob(deps, handlers, { name, id: job.id, data: job.data });
      },
    );
  }
}

async function runJob(
  deps: Deps,
  handlers: JobHandlers,
  job: { name: JobName; id: string; data: JobPayloads[JobName] },
): Promise<void> {
  const log = deps.log.child({ job: job.name, ...job.data });
  const started = performance.now();
  try {
    crashPoint('job.taken');
    await handlers[job.name]({ ...deps, log }, job.data as never);
    crashPoint('job.before-finish');
    log.debug({ ms: Math.round(performance.now() - started) }, 'job done');
  } catch (error) {
    log.warn(
      { error: messageOf(error), ms: Math.round(performance.now() - started) },
      'job failed, to be tried again',
    );
    throw error;
  }
}

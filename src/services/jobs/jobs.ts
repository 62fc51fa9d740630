import { fromKnex, type PgBoss } from 'pg-boss';
import type { Trx } from '../../db/types.ts';

/** Everything that waits or repeats, but for webhooks, whose row is their job. */
export interface JobPayloads {
  'spec.prepare': { specId: string };
  'spec.inspect': { specId: string };
  'sandbox.ensure': { specId: string };
  /** `maybeTwice`: look whether a comment with this key stands on that issue more than once. */
  'effect.publish': { key: string; maybeTwice?: { issue: number; looks?: number } };
  /** `maybeTwice`: look whether there are two status comments; `looks` counts how often that was done. */
  'status.sync': { specId: string; maybeTwice?: { looks?: number } };
}

export type JobName = keyof JobPayloads;

export const jobNames: readonly JobName[] = [
  'spec.prepare',
  'spec.inspect',
  'sandbox.ensure',
  'effect.publish',
  'status.sync',
];

export interface Jobs {
  /**
   * Asks for a job in the caller's transaction: it exists exactly if that commits. A job with the same key that
   * still waits makes this one needless.
   */
  enqueue<N extends JobName>(
    trx: Trx,
    name: N,
    job: { data: JobPayloads[N]; key: string; delaySeconds?: number },
  ): Promise<void>;
}

/** Jobs on pg-boss. */
export function createJobs(boss: PgBoss): Jobs {
  return {
    async enqueue(trx, name, job) {
      await boss.send(name, job.data, {
        db: fromKnex(trx),
        singletonKey: job.key,
        ...(job.delaySeconds ? { startAfter: job.delaySeconds } : {}),
      });
    },
  };
}

/**
 * Creates the queues. `short` keeps one waiting job a key. A worker that died is noticed after 10 s without a
 * heartbeat, the shortest that pg-boss takes; no job may run longer than 25 s.
 */
export async function createQueues(boss: PgBoss): Promise<void> {
  for (const name of jobNames) {
    await boss.createQueue(name, {
      policy: 'short',
      notify: true,
      heartbeatSeconds: 10,
      expireInSeconds: 25,
      retryLimit: 1000,
      retryDelay: 1,
      retryBackoff: true,
      retryDelayMax: 60,
      deleteAfterSeconds: 3600,
    });
  }
}

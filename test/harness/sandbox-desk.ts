import { randomUUID } from 'node:crypto';
import type { SandboxRow } from '../../src/db/sandboxes.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import { createLogger } from '../../src/log.ts';
import type { Deps } from '../../src/services/deps.ts';
import { type FreshDatabase, freshDatabase } from './database.ts';
import { insertSandboxRows } from './sandbox-rows.ts';

/** A database with specs that work in sandboxes of which only the rows exist, and what services are handed. */
export interface SandboxDesk {
  readonly fresh: FreshDatabase;
  readonly deps: Deps;
  /** Jobs that were asked for, "name key". */
  readonly jobs: string[];
  /** Adds an executing spec with a running sandbox of this worker; answers both ids. */
  add(sandbox?: Partial<SandboxRow>, spec?: Partial<SpecRow>): Promise<{ sandboxId: string; specId: string }>;
  sandbox(id: string): Promise<SandboxRow>;
  spec(id: string): Promise<SpecRow>;
  close(): Promise<void>;
}

export async function openSandboxDesk(clock: Deps['clock']): Promise<SandboxDesk> {
  const fresh = await freshDatabase();
  const { db } = fresh;
  const jobs: string[] = [];
  const workerId = randomUUID();
  const deps = {
    db,
    jobs: {
      enqueue: async (_trx: unknown, name: string, { key }: { key: string }) =>
        void jobs.push(`${name} ${key}`),
    },
    clock,
    log: createLogger({ level: 'silent', secrets: [] }),
    timing: { heartbeatTimeoutSeconds: 90 },
    workerId,
  } as unknown as Deps;
  return {
    fresh,
    deps,
    jobs,
    async add(sandbox = {}, spec = {}) {
      const ids = await insertSandboxRows(db);
      await db('specs')
        .where({ id: ids.specId })
        .update({ status: 'executing', phase: 'execute', generation: 1, ...spec });
      await db('sandboxes')
        .where({ id: ids.sandboxId })
        .update({ owner: workerId, ready_at: db.raw('specwright_now()'), ...sandbox });
      return ids;
    },
    sandbox: (id) => db('sandboxes').where({ id }).first(),
    spec: (id) => db('specs').where({ id }).first(),
    close: () => fresh.drop(),
  };
}

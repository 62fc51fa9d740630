import type { Trx } from './types.ts';

export interface AuditEntry {
  specId: string | null;
  repositoryId: number | null;
  actor: string;
  action: string;
  decision: 'done' | 'refused' | 'obsolete' | 'noted';
  reason: string | null;
  delivery: string | null;
}

/** Records who asked for what and what was decided. Append only. */
export async function recordAudit(trx: Trx, entry: AuditEntry): Promise<void> {
  await trx('audit').insert({
    spec_id: entry.specId,
    repository_id: entry.repositoryId,
    actor: entry.actor,
    action: entry.action,
    decision: entry.decision,
    reason: entry.reason,
    delivery: entry.delivery,
  });
}

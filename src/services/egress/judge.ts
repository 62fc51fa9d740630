import { recordAudit } from '../../db/audit.ts';
import { countRefusal } from '../../db/egress-refusals.ts';
import { readSpec } from '../../db/specs.ts';
import type { Deps } from '../deps.ts';
import { settingsOf } from '../spec/work.ts';
import { isAllowed } from './allowed.ts';

/** Why a host is out of reach. */
export type Refused = 'not_allowed' | 'private_address' | 'no_such_host';

interface Asked {
  readonly specId: string;
  readonly host: string;
  readonly port: number;
}

/** Whether a spec's sandbox may speak with a host, by the settings that were frozen with the spec. */
export async function mayReach(deps: Pick<Deps, 'db'>, { specId, host, port }: Asked): Promise<boolean> {
  const spec = await readSpec(deps.db, specId);
  return spec !== null && isAllowed(settingsOf(spec).egress, host, port);
}

/** Counts a host that a sandbox did not get, and notes it where it is new. */
export async function noteRefused(
  deps: Pick<Deps, 'db' | 'log'>,
  { specId, host, port }: Asked,
  why: Refused,
): Promise<void> {
  const isNew = await countRefusal(deps.db, { specId, host, port, why });
  if (!isNew) return;
  deps.log.info({ spec: specId, host, port, why }, 'a sandbox asked for a host that it may not reach');
  await deps.db.transaction((trx) =>
    recordAudit(trx, {
      specId,
      repositoryId: null,
      actor: 'sandbox',
      action: 'egress',
      decision: 'refused',
      reason: `${host}:${port} (${why})`,
      delivery: null,
    }),
  );
}

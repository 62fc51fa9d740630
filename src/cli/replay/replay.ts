import { parseArgs } from 'node:util';
import { openOrClose } from '../../closers.ts';
import { readRecorded } from '../../db/recorded.ts';
import { findSpecById } from '../../db/specs.ts';
import type { Db } from '../../db/types.ts';
import { UserError } from '../../errors.ts';
import { openDatabase } from '../database.ts';
import { loadDotEnv } from '../environment.ts';
import { runAgain } from './delivery.ts';
import { rehearse } from './rehearse.ts';
import { replaySpec } from './spec.ts';

/**
 * `specwright replay <delivery|spec>`: a delivery's GUID puts it back into its lane, where the running App decides it
 * anew (`--dry-run` only says what it would write); a spec's id runs the whole spec on an emulated GitHub and shows
 * each write. Exit code 0 when it went as it should.
 */
export async function replay(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const [id, ...more] = positionals;
  if (!id || more.length > 0) throw new UserError(`Name one delivery or one spec.\n${WHERE}`);
  loadDotEnv();
  return openOrClose(async (closers) => {
    const db = await openDatabase(closers, { applicationName: 'specwright-replay' });
    try {
      return await replayOne(db, id, values['dry-run']);
    } finally {
      await closers.closeAll();
    }
  });
}

const WHERE = `  A delivery: the GUID that the log, "specwright doctor" and GitHub's list of recent deliveries show.
  A spec: its id, or the first 8 characters, which its branch carries (spec/<those>-…).`;

async function replayOne(db: Db, id: string, dryRun: boolean): Promise<number> {
  const delivery = await readRecorded(db, id);
  if (delivery) return dryRun ? rehearse(delivery) : runAgain(db, delivery);
  const spec = await findSpecById(db, id);
  if (spec) return replaySpec(db, spec);
  throw new UserError(`There is no delivery and no spec "${id}" in this database.\n${WHERE}`);
}

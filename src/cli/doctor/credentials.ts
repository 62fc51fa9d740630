import type { Config } from '../../config.ts';
import { connectDatabase, expectDatabase } from '../../db/connect.ts';
import { countCredentialsByKey } from '../../db/model-credentials.ts';
import { UserError } from '../../errors.ts';
import { attention, type Finding, listed, ok, unknown, wrong } from './finding.ts';

const ABOUT = 'Model credentials';
const ROTATE = 'Run: specwright credentials rotate';

/** Looks whether anybody pays for models, and whether what is stored can be opened. A script needs none. */
export async function checkCredentials(config: Config): Promise<Finding[]> {
  if (config.agent !== null) return [];
  if (config.databaseUrl === null) return [ofEnvironment(config)];
  const db = connectDatabase(config.databaseUrl, { poolSize: 1, applicationName: 'specwright-doctor' });
  try {
    await expectDatabase(db);
    return judge(config, await countCredentialsByKey(db));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [unknown(ABOUT, 'They can be looked at once the database answers.')];
  } finally {
    await db.destroy();
  }
}

/** The embedded database is not started for a look at it. */
function ofEnvironment({ credentials }: Config): Finding {
  const { length } = credentials.environment;
  if (length > 0) return ok(ABOUT, `There are ${length} in the environment.`);
  return unknown(ABOUT, 'They would be in the embedded database: "specwright credentials list" shows them.');
}

function judge(
  { credentials: { keys, environment } }: Config,
  rows: readonly { key_id: string; count: number }[],
): Finding[] {
  const stored = rows.reduce((sum, { count }) => sum + count, 0);
  if (stored + environment.length === 0)
    return [
      attention(
        ABOUT,
        'There is none: specs end with a comment that says so.',
        'Add one: specwright credentials set --kind anthropic --system. docs/credentials.md has the rest.',
      ),
    ];
  const sums = `There are ${stored} in the database and ${environment.length} in the environment.`;
  const findings = [ok(ABOUT, sums)];
  const lost = rows.filter(({ key_id: id }) => !keys.some((key) => key.id === id));
  if (lost.length > 0)
    findings.push(
      wrong(
        ABOUT,
        `Some can't be opened: CREDENTIAL_KEYS does not have ${listed(lost.map(({ key_id: id }) => `"${id}"`))}.`,
        'Put it back into CREDENTIAL_KEYS, or set those credentials again: "specwright credentials list" shows which.',
      ),
    );
  const old = rows.filter(({ key_id: id }) => keys.slice(1).some((key) => key.id === id));
  if (old.length > 0)
    findings.push(
      attention(
        ABOUT,
        `Some are still sealed with ${listed(old.map(({ key_id: id }) => `"${id}"`))}.`,
        ROTATE,
      ),
    );
  return findings;
}

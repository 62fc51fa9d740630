import { userInfo } from 'node:os';
import { openOrClose } from '../../closers.ts';
import { type CredentialsConfig, loadCredentialsConfig } from '../../config.ts';
import type { Db } from '../../db/types.ts';
import { UserError } from '../../errors.ts';
import { createKeyring } from '../../seal.ts';
import { rotateCredentials } from '../../services/credentials/edit.ts';
import { SEALING_PURPOSE } from '../../services/credentials/sealed-row.ts';
import { configProblems, EXIT_CONFIG } from '../credentials-steps.ts';
import { openDatabase } from '../database.ts';
import { loadDotEnv } from '../environment.ts';
import { type Action, readArguments } from './arguments.ts';
import { listAll } from './list.ts';
import { remove } from './remove.ts';
import { set } from './set.ts';

/** What each action works with. */
export interface Desk {
  readonly db: Db;
  readonly config: CredentialsConfig;
  readonly actor: string;
  say(text: string): void;
}

/**
 * `specwright credentials set|list|remove|rotate`: keys for model APIs. No secret is ever printed. Exit code 0 when it
 * was done, 1 when not, 64 when the command line is wrong and 78 when the settings are.
 */
export async function credentials(args: readonly string[]): Promise<number> {
  const reading = readArguments(args);
  if (!reading.ok) {
    process.stderr.write(`${reading.problem}\n`);
    return EXIT_USAGE;
  }
  const { action } = reading;
  loadDotEnv();
  const read = loadCredentialsConfig(process.env);
  if (!read.ok) {
    process.stderr.write(configProblems(read.problems));
    return EXIT_CONFIG;
  }
  const { config } = read;
  if (config.keys.length === 0 && (action.do === 'set' || action.do === 'rotate'))
    throw new UserError(NO_KEY);
  return openOrClose(async (closers) => {
    const migrates = action.do === 'set';
    const db = await openDatabase(closers, { applicationName: 'specwright-credentials', migrates });
    const say = (text: string) => void process.stdout.write(`${text}\n`);
    try {
      return await act({ db, config, actor: actorName(), say }, action);
    } finally {
      await closers.closeAll();
    }
  });
}

/** EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64;

const NO_KEY =
  'CREDENTIAL_KEYS is not set, so nothing can be sealed. Set it, for this command and for the App, to "k1:" and what "openssl rand -base64 32" prints. Keep it apart from the database and its backups.';

function act(desk: Desk, action: Action): Promise<number> {
  switch (action.do) {
    case 'set':
      return set(desk, action);
    case 'remove':
      return remove(desk, action);
    case 'list':
      return listAll(desk, action);
    case 'rotate':
      return rotate(desk);
  }
}

async function rotate({ db, config, actor, say }: Desk): Promise<number> {
  const keyring = createKeyring(config.keys, SEALING_PURPOSE);
  const { resealed, already, unreadable } = await rotateCredentials({ db, keyring, actor });
  say(
    `Sealed ${resealed} anew with "${keyring.keyIds[0]}"; ${already} ${already === 1 ? 'was' : 'were'} sealed with it before.`,
  );
  if (unreadable.length === 0) {
    say(
      keyring.keyIds.length > 1
        ? 'The other keys can be taken out of CREDENTIAL_KEYS now.'
        : 'Nothing else is needed.',
    );
    return 0;
  }
  for (const text of unreadable) process.stderr.write(`${text}\n`);
  return 1;
}

/** Who did it, for the record: the account on this machine. */
function actorName(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    // Containers may run as a uid that no passwd file knows.
    return `cli:uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

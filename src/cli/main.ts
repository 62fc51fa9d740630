#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf, UserError } from '../errors.ts';

// Halves the time of a start. Beside the code, so that who may write it could write the code as well; where that can't
// be written, starts are slower and nothing else.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/specwright', import.meta.url)));

type Verb = (args: readonly string[]) => Promise<number>;

/** Loaded when used: `migrate` need not wait for what `demo` imports. */
const verbs: Readonly<Record<string, () => Promise<Verb>>> = {
  start: async () => (await import('./start.ts')).start,
  dev: async () => (await import('./dev.ts')).dev,
  demo: async () => (await import('./demo/demo.ts')).demo,
  emulator: async () => (await import('./emulator.ts')).emulator,
  migrate: async () => (await import('./migrate.ts')).migrateDatabase,
  doctor: async () => (await import('./doctor/doctor.ts')).doctor,
  replay: async () => (await import('./replay/replay.ts')).replay,
  credentials: async () => (await import('./credentials/credentials.ts')).credentials,
};

const USAGE = `Usage: specwright <verb>

  start [--role all|web|worker]   run the App
  dev                             run it with smee-client and reload
  demo [--json] [--keep]          show the whole line on an emulated GitHub
  emulator [--port N]             run the emulated GitHub alone
  migrate                         bring the database's schema up to date
  doctor [--json]                 say what is wrong with the set-up
  replay <delivery> [--dry-run]   decide a recorded webhook again
  replay <spec>                   run a recorded spec again on an emulated GitHub
  credentials set|list|remove|rotate
                                  keep keys for model APIs, sealed
`;

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!load) {
    process.stderr.write(name === '' ? USAGE : `There is no verb "${name}".\n\n${USAGE}`);
    return EXIT_USAGE;
  }
  const verb = await load();
  try {
    return await verb(args);
  } catch (error) {
    if (!isAboutArguments(error)) throw error;
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return EXIT_USAGE;
  }
}

/** EX_USAGE of sysexits.h. */
const EXIT_USAGE = 64;

function isAboutArguments(error: unknown): error is Error {
  const { code } = error as { code?: unknown };
  return error instanceof Error && typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS');
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof UserError ? error.message : `Failed: ${messageOf(error)}`}\n`);
  process.exitCode = 1;
}

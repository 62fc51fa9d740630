import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { FatalError, messageOf, UserError } from '../../errors.ts';
import { type Binaries, SHARED_ROOT } from './binaries.ts';
import { type Identity, obstacle } from './identity.ts';
import { isAlive } from './postmaster.ts';

/** The only user of an embedded server. */
export const USER = 'specwright';

/** A database cluster on disk: `folder` holds `data/`, `password`, `postgres.log` and `users/`. */
export interface Cluster {
  folder: string;
  data: string;
  password: string;
}

/**
 * The folder that `identity` can really use for `dataDir`: itself, or one below /var/lib/specwright if some parent
 * (a home of mode 0700, say) lets no other user through. Throws a UserError if neither can be had.
 */
export async function reachableFolder(
  dataDir: string,
  identity: Identity,
): Promise<{ folder: string; blockedBy: string | undefined }> {
  const wanted = resolve(dataDir);
  const blockedBy = await obstacle(dirname(wanted), identity);
  const id = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  const folder = blockedBy ? join(SHARED_ROOT, 'data', id) : wanted;
  try {
    await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
    await mkdir(folder, { recursive: true, mode: 0o711 });
    await access(folder);
    return { folder, blockedBy };
  } catch (error) {
    throw new UserError(
      `The embedded PostgreSQL has no place for its data: ${messageOf(error)}. ` +
        'Set DATA_DIR to a folder that other users can pass through (mode 0711 or wider), or set DATABASE_URL.',
    );
  }
}

/** Opens the cluster in `parent`, creating it first if there is none; of several creators the first one wins. */
export async function openCluster(
  parent: string,
  options: { binaries: Binaries; identity: Identity; durable: boolean },
): Promise<Cluster> {
  const folder = join(parent, 'cluster');
  const password = await readPassword(folder);
  if (password === undefined) await createCluster(parent, folder, options);
  return {
    folder,
    data: join(folder, 'data'),
    password: password ?? (await readPassword(folder)) ?? missing(folder),
  };
}

function missing(folder: string): never {
  throw new FatalError(`the embedded PostgreSQL has lost its password file in ${folder}`);
}

async function readPassword(folder: string): Promise<string | undefined> {
  return await readFile(join(folder, 'password'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Builds under a draft's name and renames when whole: a crash in between leaves only a draft. */
async function createCluster(
  parent: string,
  folder: string,
  options: { binaries: Binaries; identity: Identity; durable: boolean },
): Promise<void> {
  await removeDrafts(parent);
  const draft = join(parent, `.draft-${process.pid}-${randomBytes(4).toString('hex')}`);
  await mkdir(join(draft, 'data'), { recursive: true, mode: 0o700 });
  try {
    await chmod(draft, 0o711);
    await initialise(draft, options);
    await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
      if ((await readPassword(folder)) === undefined) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initialise(
  draft: string,
  { binaries, identity, durable }: { binaries: Binaries; identity: Identity; durable: boolean },
): Promise<void> {
  const { uid, gid } = identity;
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (uid !== undefined && gid !== undefined) await chownAll([data, passwordFile], uid, gid);
  const args = [
    ['-D', data, '-U', USER, '--pwfile', passwordFile, '--auth=scram-sha-256', '--encoding=UTF8'],
    ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions'],
    durable ? [] : ['--no-sync'],
  ].flat();
  try {
    await promisify(execFile)(binaries.initdb, args, { uid, gid, cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' } });
  } catch (error) {
    throw new FatalError(`can't create a database cluster in ${draft}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  // From here on only the app needs the password.
  if (uid !== undefined) await chown(passwordFile, 0, 0);
}

async function chownAll(paths: string[], uid: number, gid: number): Promise<void> {
  for (const path of paths) await chown(path, uid, gid);
}

async function removeDrafts(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = Number(/^\.draft-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (pid > 0 && !isAlive(pid)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

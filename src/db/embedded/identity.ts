import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** The user that the server's processes run as; both ids are undefined where the app is an ordinary user itself. */
export interface Identity {
  uid: number | undefined;
  gid: number | undefined;
}

/** `nobody` on every common system; PostgreSQL refuses to run as root. */
const ORDINARY = 65_534;

/** The identity for the server's processes: an ordinary uid if the app is root, else the app's own. */
export function serverIdentity(): Identity {
  const root = process.getuid?.() === 0;
  return root ? { uid: ORDINARY, gid: ORDINARY } : { uid: undefined, gid: undefined };
}

/**
 * The nearest folder at or above `path` that `identity` can't pass through, or undefined if all of them let it.
 * Folders that don't exist yet are skipped: whoever creates them decides.
 */
export async function obstacle(path: string, identity: Identity): Promise<string | undefined> {
  if (identity.uid === undefined) return undefined;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const info = await stat(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (info && !passes(info, identity)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function passes(info: { mode: number; uid: number; gid: number }, identity: Identity): boolean {
  if (info.uid === identity.uid) return (info.mode & 0o100) !== 0;
  if (info.gid === identity.gid) return (info.mode & 0o010) !== 0;
  return (info.mode & 0o001) !== 0;
}

import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../errors.ts';
import type { SandboxFile } from '../provider.ts';
import type { BoxFolders } from './box.ts';

/** Unix socket paths end at 107 bytes on Linux and 103 on macOS. */
const LONGEST_SOCKET_PATH = 100;
const SOCKET_NAME = 'gateway.sock';
/** Begins the name of every folder for a socket. */
export const SOCKET_PREFIX = 'sw-';
/** The link from a sandbox's folder to that of its socket. */
export const SOCKET_LINK = 'sockets';
const RETRY_MS = 100;
const TOOLS_PREFIX = '/opt/specwright/';

export interface FolderOptions {
  /** Folder for all sandboxes; made if it is not there. */
  readonly base: string;
  readonly name: string;
  readonly uid: number | null;
  /** Whether programs reach the folders by their paths on the host, and so must be let through to them. */
  readonly byHostPath: boolean;
}

/** Makes the folders of one sandbox. Workspace and home belong to its uid alone; the rest it can only read. */
export function makeFolders(options: FolderOptions): BoxFolders {
  const { uid, byHostPath } = options;
  const base = join(options.base, options.name);
  mkdirSync(base, { recursive: true });
  chmodSync(base, byHostPath ? 0o711 : 0o700);
  for (const name of ['etc', 'tools', 'workspace', 'home']) mkdirSync(join(base, name));
  for (const name of ['etc', 'tools']) chmodSync(join(base, name), 0o755);
  for (const name of ['workspace', 'home']) {
    chmodSync(join(base, name), 0o700);
    if (uid !== null) chownSync(join(base, name), uid, uid);
  }
  const sockets = makeSocketFolder(byHostPath ? uid : null);
  // So that a sweep finds it.
  if (sockets.socketBase !== '') symlinkSync(sockets.socketBase, join(base, SOCKET_LINK));
  return {
    base,
    workspace: join(base, 'workspace'),
    home: join(base, 'home'),
    tools: join(base, 'tools'),
    ...sockets,
  };
}

/** Writes the request's files below the sandbox's tools folder. @throws UserError for a path outside of it */
export function writeTools(tools: string, files: readonly SandboxFile[]): void {
  for (const { path, content } of files) {
    const inside = path.startsWith(TOOLS_PREFIX) ? path.slice(TOOLS_PREFIX.length) : '';
    const parts = inside.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..')) {
      throw new UserError(`a sandbox file must lie below ${TOOLS_PREFIX}: ${path}`);
    }
    const target = join(tools, ...parts);
    for (let at = 1; at < parts.length; at++) {
      const folder = join(tools, ...parts.slice(0, at));
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o755);
    }
    writeFileSync(target, content);
    chmodSync(target, 0o755);
  }
}

/** Lets only the sandbox's uid connect to its socket. */
export function guardSocket(socket: string, uid: number | null): void {
  if (process.platform === 'win32') return;
  chmodSync(socket, 0o600);
  if (uid !== null) chownSync(socket, uid, uid);
}

/**
 * Removes a tree that a sandbox wrote. Its processes must be gone: then nobody can put a link in the way.
 * Folders that their owner may not read, which stops a remover that is not root, are opened first.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES') await openFolders(path);
    // Node's own retries multiply with every level of folders: one that is busy would hold this up for half a minute.
    else await delay(RETRY_MS);
    await rm(path, { recursive: true, force: true });
  }
}

async function openFolders(path: string): Promise<void> {
  chmodSync(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}

/** A short private folder; the socket lies one deeper, in a folder that the sandbox can be shown. */
function makeSocketFolder(uid: number | null): { socketBase: string; socket: string } {
  if (process.platform === 'win32') {
    const unique = `${process.pid}-${Math.random().toString(36).slice(2)}`;
    return { socketBase: '', socket: `\\\\.\\pipe\\specwright-${unique}` };
  }
  const roomFor = (folder: string) =>
    join(folder, `${SOCKET_PREFIX}XXXXXX`, 'g', SOCKET_NAME).length < LONGEST_SOCKET_PATH;
  const socketBase = mkdtempSync(join(roomFor(tmpdir()) ? tmpdir() : '/tmp', SOCKET_PREFIX));
  const shown = join(socketBase, 'g');
  mkdirSync(shown);
  chmodSync(shown, 0o755);
  if (uid !== null) chownSync(socketBase, uid, uid);
  return { socketBase, socket: join(shown, SOCKET_NAME) };
}

/** Whether any user can get to `path` by name. */
export function reachableByAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const info = lstatSync(at, { throwIfNoEntry: false });
    if (info !== undefined && (info.mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { dirname, posix, resolve, sep } from 'node:path';
import { RetryableError, UserError } from '../../errors.ts';
import type { SandboxPaths } from '../provider.ts';
import { DOWNLOAD_SCRIPT, EXIT_MISSING, EXIT_OUTSIDE, UPLOAD_SCRIPT } from './scripts.ts';

/** Runs a program in the sandbox as its own uid; what it says comes as bytes. */
export type RunInside = (argv: readonly string[], stdin?: Uint8Array | string) => Promise<Finished>;

export interface Finished {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
}

export const LARGEST_DOWNLOAD = 64 * 1024 * 1024;

/**
 * Writes a file as the sandbox's own uid from inside, so that a link planted there leads nowhere it could not go
 * itself. @throws UserError for a path outside workspace and home
 */
export async function uploadInside(
  run: RunInside,
  where: SandboxPaths,
  file: { path: string; content: Uint8Array | string },
): Promise<void> {
  const path = normal(where, file.path);
  const { code, stderr } = await run(
    ['/bin/sh', '-c', UPLOAD_SCRIPT, 'sh', path, where.workspace, where.home],
    file.content,
  );
  if (code === EXIT_OUTSIDE) throw outside(file.path);
  if (code !== 0) throw new RetryableError(`cannot write ${file.path} in the sandbox: ${stderr.trim()}`);
}

/** Reads a file the same way. @throws UserError for a path outside, a missing file or one over LARGEST_DOWNLOAD */
export async function downloadInside(run: RunInside, where: SandboxPaths, wanted: string): Promise<Buffer> {
  const path = normal(where, wanted);
  const most = String(LARGEST_DOWNLOAD + 1);
  const folders = [where.workspace, where.home];
  const { code, stdout, stderr } = await run([
    '/bin/sh',
    '-c',
    DOWNLOAD_SCRIPT,
    'sh',
    path,
    ...folders,
    most,
  ]);
  if (code === EXIT_OUTSIDE) throw outside(wanted);
  if (code === EXIT_MISSING) throw new UserError(`there is no ${wanted} in the sandbox`);
  if (code !== 0) throw new RetryableError(`cannot read ${wanted} in the sandbox: ${stderr.trim()}`);
  if (stdout.length > LARGEST_DOWNLOAD) throw new UserError(`${wanted} is too large`);
  return stdout;
}

/** Where there is no shell (Windows, unsafe mode): plain file access with the links of the parent resolved. */
export async function uploadDirectly(
  where: SandboxPaths,
  file: { path: string; content: Uint8Array | string },
): Promise<void> {
  await mkdir(dirname(file.path), { recursive: true });
  await writeFile(await resolvedPath(where, file.path), file.content);
}

/** The reading counterpart of `uploadDirectly`. */
export async function downloadDirectly(where: SandboxPaths, path: string): Promise<Buffer> {
  return readFile(await resolvedPath(where, path));
}

async function resolvedPath(where: SandboxPaths, path: string): Promise<string> {
  const parent = await realpath(dirname(path));
  const own = await Promise.all([realpath(where.workspace), realpath(where.home)]);
  if (!own.some((folder) => parent === folder || parent.startsWith(folder + sep))) throw outside(path);
  const target = resolve(parent, path.slice(dirname(path).length + 1));
  const real = await realpath(target).catch(() => target);
  if (real !== target) throw outside(path);
  return target;
}

function normal(where: SandboxPaths, path: string): string {
  const clean = posix.normalize(path);
  const inside = [where.workspace, where.home].some((folder) => clean.startsWith(`${folder}/`));
  if (!inside || clean.includes('\0')) throw outside(path);
  return clean;
}

function outside(path: string): UserError {
  return new UserError(`${path} is outside the sandbox's workspace and home`);
}

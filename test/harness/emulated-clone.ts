import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EmulatedGithub } from './emulated-github.ts';
import { runGit } from './git-command.ts';

/** Clones the demo's repository into a fresh folder. @throws Error when git refuses. */
export async function cloneDemo(
  github: EmulatedGithub,
  token: string,
  ...options: string[]
): Promise<string> {
  const folder = await github.folder();
  const done = await runGit(folder, ['clone', '--quiet', ...options, github.remote(token), '.']);
  if (done.code !== 0) throw new Error(done.output);
  return folder;
}

/** Commits a file in a clone; answers the SHA. */
export async function commitIn(folder: string, file: string, content: string): Promise<string> {
  await writeFile(join(folder, file), content);
  await runGit(folder, ['add', '-A']);
  await runGit(folder, ['commit', '--quiet', '-m', `Change ${file}`]);
  return (await runGit(folder, ['rev-parse', 'HEAD'])).output.trim();
}

/** Where a branch of the demo's repository is. */
export async function headOf(github: EmulatedGithub, token: string, branch: string): Promise<string> {
  const { body } = await github.call(token, `GET /repos/acme/greeter/git/ref/heads/${branch}`);
  return body.object?.sha;
}

import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from './client.ts';
import { describeGitFailure, type GitEnd, type GitPlace, git, gitOutput, remoteUrl } from './git.ts';

/** The local branch that the work stands on; it is never pushed under this name. */
export const WORK_BRANCH = 'specwright';

/** A network that comes back within this many attempts (about 6 s) costs no run. */
const FETCH_ATTEMPTS = 5;

/**
 * The first command of a sandbox: needs nothing of the network, so it starts before the bridge listens.
 * Answers false when the workspace held a repository already.
 */
export async function initRepository(place: GitPlace): Promise<boolean> {
  const fresh = !existsSync(join(place.config.workspace, '.git'));
  mkdirSync(place.config.workspace, { recursive: true });
  await gitOutput(place, { args: ['init', '--quiet'] });
  return fresh;
}

/**
 * Partial clone of the one commit to start from with its history (no blobs, no tags), then the checkout, which gets
 * the files it needs. One exact commit saves the listing of the remote's refs. @throws Error
 */
export async function cloneRepository(place: GitPlace, gatewayUrl: string, fresh: boolean): Promise<void> {
  const { startSha, startRef } = place.config;
  await setRemote(place, remoteUrl(place.config, gatewayUrl), fresh);
  const exact = await fetchRetrying(place, `+${startSha}:refs/remotes/origin/start`);
  // A server that gives out no single commits has it under its ref.
  if (exact.code !== 0) {
    const named = await fetchRetrying(place, `+${startRef}:refs/remotes/origin/start`);
    if (named.code !== 0) throw new Error(describeGitFailure('fetch', exact));
  }
  await gitOutput(place, { args: ['checkout', '--quiet', '--force', '-B', WORK_BRANCH, startSha] });
  if (!fresh) await gitOutput(place, { args: ['clean', '-ffdxq', '-e', 'node_modules'] });
  place.emit('clone.done', { sha: startSha });
}

async function setRemote(place: GitPlace, url: string, fresh: boolean): Promise<void> {
  // A file of its own making can be appended to, which saves a process (20 ms) before the fetch.
  if (fresh)
    appendFileSync(join(place.config.workspace, '.git', 'config'), `[remote "origin"]\n\turl = ${url}\n`);
  else await gitOutput(place, { args: ['config', 'remote.origin.url', url] });
}

async function fetchRetrying(place: GitPlace, refspec: string): Promise<GitEnd> {
  for (let attempt = 1; ; attempt += 1) {
    const end = await git(place, {
      args: [
        'fetch',
        '--quiet',
        '--filter=blob:none',
        '--no-tags',
        '--no-write-fetch-head',
        'origin',
        refspec,
      ],
    });
    if (end.code === 0 || attempt === FETCH_ATTEMPTS || !isNetworkFailure(end)) return end;
    await delay(backoffMs(attempt), undefined, { signal: place.stopped });
  }
}

/** True where another try may help: no connection, a server error, or an answer that broke off. */
export function isNetworkFailure(end: GitEnd): boolean {
  return /returned error: (5\d\d|429)|failed to connect|could not connect|couldn't connect|rpc failed|hung up|early eof|empty reply|recv failure|unexpected disconnect/i.test(
    end.stderr,
  );
}

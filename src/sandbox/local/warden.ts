/**
 * A small program beside each sandbox of unsafe mode that outlives us: when we are killed, the pipe between us breaks,
 * and it ends what the sandbox still runs. In isolated mode the kernel does that.
 *
 * Races: the sandbox is left while the warden still watches → `dismiss` has killed it before its uid is given away.
 * A program forks while it is being ended → one signal reaches every process of a uid at once; without a uid of its
 * own the processes are looked through twice, and what hid its environment stays.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { TRUSTED_PATH } from './tools.ts';

/** $1 is the uid whose processes end. Until then it is not that uid's, so the sandbox can't kill it. */
const BY_UID = `read -r _
exec setpriv --reuid="$1" --regid="$1" --clear-groups -- /bin/sh -c 'kill -9 -1'`;

/** $1 is the sandbox's folder, which is in the environment of its programs as their home. */
const BY_FOLDER = `read -r _
for round in 1 2; do
  for folder in /proc/[0-9]*; do
    if grep -a -q -s -F "$1" "$folder/environ"; then kill -9 "\${folder#/proc/}"; fi
  done
done`;

export interface Warden {
  /** Ends the warden itself; resolves when it is gone. */
  dismiss(): Promise<void>;
}

/** Starts a warden for the processes of a uid, or for those that know a folder. */
export function startWarden(of: { uid: number } | { folder: string }): Warden {
  const [script, subject] = 'uid' in of ? [BY_UID, String(of.uid)] : [BY_FOLDER, of.folder];
  const child = spawn('/bin/sh', ['-c', script, 'sh', subject], {
    // A session of its own: what ends our process group must not end it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: TRUSTED_PATH },
    cwd: '/',
  });
  const gone = once(child, 'exit').then(
    () => {},
    // It could not be started: without it things are as they were, and a later start clears up.
    () => {},
  );
  child.stdin.on('error', () => {});
  child.unref();
  return {
    async dismiss() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

import type { GitTarget } from '../backend.ts';
import type { PushCommand, PushHead } from './pkt.ts';

type Head = Extract<PushHead, { kind: 'head' }>;

export type Verdict =
  /** git's probe before a large push: it carries nothing and asks only whether it may. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'allowed'; readonly command: PushCommand }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * Decides whether a push may go on: one command that moves the spec's checkpoint from where we know it to be. The
 * host compares the old sha again, atomically, so of two pushes at once only one wins.
 */
export function judgePush(head: Head, target: Pick<GitTarget, 'checkpointRef' | 'recordedSha'>): Verdict {
  if (head.extras.includes('certificate')) return refused('signed pushes are not taken');
  if (head.extras.includes('shallow')) return refused('pushes from a shallow clone are not taken');
  if (head.capabilities.has('push-options')) return refused('push options are not taken');
  const [command, ...others] = head.commands;
  if (!command) return { kind: 'probe' };
  if (others.length > 0) return refused('one ref at a time: the whole push was refused');
  return judgeCommand(command, target);
}

function judgeCommand(
  command: PushCommand,
  { checkpointRef, recordedSha }: Pick<GitTarget, 'checkpointRef' | 'recordedSha'>,
): Verdict {
  if (command.ref !== checkpointRef) return refused(`only ${checkpointRef} may be pushed to`);
  if (isZero(command.newSha)) return refused('deleting is not allowed');
  const current = isZero(command.oldSha) ? null : command.oldSha;
  if (current !== recordedSha) return refused('the ref is not where the last recorded push left it');
  return { kind: 'allowed', command };
}

function isZero(sha: string): boolean {
  return /^0+$/.test(sha);
}

function refused(reason: string): Verdict {
  return { kind: 'refused', reason };
}

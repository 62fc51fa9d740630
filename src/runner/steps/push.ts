import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../client.ts';
import { isNetworkFailure } from '../clone.ts';
import type { RunnerContext } from '../context.ts';
import { describeGitFailure, type GitEnd, git, gitOutput, remoteUrl } from '../git.ts';
import type { Step, StepResult } from '../protocol.ts';

type PushStep = Extract<Step, { kind: 'push' }>;

const ATTEMPTS = 4;

/**
 * Pushes exactly the commit that was asked for. What counts is what the gateway saw: an agent may have bent this
 * repository's configuration, so "pushed" is a hint here and a fact only in the gateway's record.
 */
export async function runPushStep(runner: RunnerContext, step: PushStep): Promise<StepResult> {
  const head = await gitOutput(runner, { args: ['rev-parse', 'HEAD'], stepId: step.stepId });
  if (head !== step.sha) return refused(`HEAD is ${head} and not ${step.sha}`);
  const url = remoteUrl(runner.config, runner.gatewayUrl);
  for (let attempt = 1; ; attempt += 1) {
    const end = await git(runner, {
      args: ['push', '--porcelain', '--no-verify', url, `${step.sha}:${step.ref}`],
      stepId: step.stepId,
      timeoutMs: step.timeoutMs,
    });
    if (end.code === 0) return { kind: 'push', outcome: 'pushed', message: '' };
    const why = refusalOf(end);
    if (why !== null) return refused(why);
    if (attempt === ATTEMPTS || !isNetworkFailure(end) || runner.stopped.aborted) {
      return { kind: 'broken', reason: describeGitFailure('push', end) };
    }
    await delay(backoffMs(attempt), undefined, { signal: runner.stopped });
  }
}

/**
 * The reason of a definite refusal, or null: `!<tab>src:dst<tab>[remote rejected] (reason)` in git's porcelain output,
 * or a 4xx of the gateway with its text on "remote:" lines.
 */
export function refusalOf(end: Pick<GitEnd, 'stdout' | 'stderr'>): string | null {
  const rejected = /^!\t[^\t]*\t(.*)$/m.exec(end.stdout)?.[1];
  if (rejected !== undefined && !/remote failed to report status/.test(rejected)) {
    return /\((.*)\)\s*$/.exec(rejected)?.[1] ?? rejected;
  }
  if (!/(returned error: 4\d\d|repository '.*' not found)/.test(end.stderr)) return null;
  const remote = [...end.stderr.matchAll(/^remote: ?(.*?)\s*$/gm)].map((match) => match[1]);
  return remote.length > 0 ? remote.join(' ') : end.stderr.trim().slice(-500);
}

function refused(message: string): StepResult {
  return { kind: 'push', outcome: 'refused', message };
}

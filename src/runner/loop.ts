/**
 * Asks for a step, does it, answers, again and again.
 *
 * Races
 * - The answer to a result is lost → the result is sent again; the gateway answers 200 to a repeat.
 * - The step was closed meanwhile (409) → the result is of no use to anybody; the next step is asked for.
 * - Stop arrives during a step → its children are dead already; no result is sent, since nobody waits for it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, Client } from './client.ts';
import type { RunnerContext, StopReason } from './context.ts';
import type { Inbox } from './inbox.ts';
import type { NextStep, Step, StepResult } from './protocol.ts';
import { runAgentStep } from './steps/agent.ts';
import { runCommandStep } from './steps/command.ts';
import { runCommitStep } from './steps/commit.ts';
import { runPushStep } from './steps/push.ts';

export interface LoopParts {
  readonly client: Client;
  readonly inbox: Inbox;
  /** Resolves when the work tree is ready; answers why it never will be, or null. */
  readonly cloned: Promise<string | null>;
  /** Waits until what was emitted is stored, for a bounded time. */
  settle(): Promise<void>;
}

/** Runs steps until there is a reason to stop, and answers it. */
export async function runLoop(runner: RunnerContext, parts: LoopParts): Promise<StopReason> {
  // The first question is asked while the clone is under way.
  let next = parts.client.insist('/steps/next', {});
  for (;;) {
    const decided = read(await next);
    if ('code' in decided) return decided;
    if (decided.next === 'stop') return { reason: decided.reason, code: 0 };
    if (decided.next === 'wait') {
      await delay(decided.waitMs, undefined, { signal: runner.stopped });
    } else {
      const broken = await parts.cloned;
      const stop = await answerStep(runner, { parts, step: decided.step, broken });
      if (stop) return stop;
      if (broken !== null) return { reason: broken, code: 1 };
    }
    next = parts.client.insist('/steps/next', {});
  }
}

async function answerStep(
  runner: RunnerContext,
  { parts, step, broken }: { parts: LoopParts; step: Step; broken: string | null },
): Promise<StopReason | null> {
  const result: StepResult =
    broken === null ? await perform(runner, step, parts.inbox) : { kind: 'broken', reason: broken };
  if (runner.stopped.aborted) return { reason: 'told to stop', code: 0 };
  await parts.settle();
  const path = `/steps/${step.stepId}/result`;
  const answer = await parts.client.insist(path, result);
  if (answer.kind !== 'refused' || answer.status === 409) return ending(answer);
  // The gateway can't take this result; a step without any would stay open for ever.
  const reason = `the gateway refused the result of this step with status ${answer.status}`;
  return ending(await parts.client.insist(path, { kind: 'broken', reason } satisfies StepResult));
}

/** Does a step; whatever goes wrong in here becomes its result. */
async function perform(runner: RunnerContext, step: Step, inbox: Inbox): Promise<StepResult> {
  try {
    switch (step.kind) {
      case 'agent':
        return await runAgentStep(runner, step, inbox);
      case 'command':
        return await runCommandStep(runner, step);
      case 'commit':
        return await runCommitStep(runner, step);
      case 'push':
        return await runPushStep(runner, step);
      default:
        return { kind: 'broken', reason: 'this runner does not know that kind of step' };
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'broken', reason: reason.slice(0, 4_000).toWellFormed() };
  }
}

function read(answer: Answer): NextStep | StopReason {
  const stop = ending(answer);
  if (stop) return stop;
  if (answer.kind === 'ok') return answer.body as NextStep;
  return { reason: 'the gateway refused to give a step', code: 1 };
}

function ending(answer: Answer): StopReason | null {
  if (answer.kind === 'stale') return { reason: 'replaced', code: 0 };
  if (answer.kind === 'unclear') return { reason: `the gateway is away: ${answer.reason}`, code: 1 };
  if (answer.kind === 'refused' && answer.status === 401) {
    return { reason: 'the gateway does not know this sandbox', code: 1 };
  }
  return null;
}

import { runCommand } from '../command.ts';
import type { RunnerContext } from '../context.ts';
import { runEnvironment } from '../environment.ts';
import { LIMITS } from '../limits.ts';
import type { Step, StepResult } from '../protocol.ts';

type CommandStep = Extract<Step, { kind: 'command' }>;

/** Runs a program of the project and keeps the end of what it printed, both streams as they came. */
export async function runCommandStep(runner: RunnerContext, step: CommandStep): Promise<StepResult> {
  const { config, gatewayUrl } = runner;
  let tail = '';
  const end = await runCommand(runner, {
    argv: step.argv,
    cwd: config.workspace,
    env: runEnvironment(config, { phase: step.phase, gatewayUrl }),
    timeoutMs: step.timeoutMs,
    stopped: runner.stopped,
    stepId: step.stepId,
    onOutput(_, text) {
      tail = (tail + text).slice(-LIMITS.outputTail);
    },
  });
  if (end.startError !== null) tail = `${step.argv[0]}: ${end.startError}`;
  return { kind: 'command', code: end.code, timedOut: end.timedOut, outputTail: tail.toWellFormed() };
}

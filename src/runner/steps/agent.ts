import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentDriver, AgentEvent, AgentTask } from '../../agent/driver.ts';
import { drivers } from '../../agent/registry.ts';
import { WORK_BRANCH } from '../clone.ts';
import { runCommand } from '../command.ts';
import type { RunnerContext } from '../context.ts';
import { runEnvironment } from '../environment.ts';
import { jsonBytes } from '../fit.ts';
import { gitOutput } from '../git.ts';
import type { Inbox } from '../inbox.ts';
import { LIMITS } from '../limits.ts';
import { createLineSplitter } from '../lines.ts';
import type { ProcessEnd } from '../process.ts';
import type { Step, StepResult } from '../protocol.ts';

type AgentStep = Extract<Step, { kind: 'agent' }>;

/** More output than this from one run is a loop and not work, characters. */
const STDOUT_LIMIT = 64 * 1024 * 1024;
const STDERR_TAIL = 4_000;
/** Room for the result's other fields, bytes. */
const RESULT_OVERHEAD = 4_096;

interface Progress {
  readonly events: AgentEvent[];
  stdoutLength: number;
  stderrTail: string;
  /** Why the runner ended the agent itself, or null. */
  ended: string | null;
}

/** Lets the agent do one piece of work and judges by its driver how that ended. */
export async function runAgentStep(
  runner: RunnerContext,
  step: AgentStep,
  inbox: Inbox,
): Promise<StepResult> {
  const driver = Object.hasOwn(drivers, step.driver) ? drivers[step.driver] : undefined;
  if (!driver) return { kind: 'broken', reason: `this runner has no agent driver "${step.driver}"` };
  if (step.resetFirst) await resetWorkTree(runner, step.stepId);
  const task = prepare(runner, step);
  try {
    const progress: Progress = { events: [], stdoutLength: 0, stderrTail: '', ended: null };
    const end = await play({ runner, step, driver, inbox }, task, progress);
    return conclude(driver, end, progress);
  } finally {
    rmSync(task.scratch, { recursive: true, force: true });
  }
}

/** Throws away what an earlier attempt left, commits of its own included. Installed packages stay. */
async function resetWorkTree(runner: RunnerContext, stepId: string): Promise<void> {
  rmSync(join(runner.config.workspace, '.git', 'index.lock'), { force: true });
  const { base } = runner.position;
  await gitOutput(runner, { args: ['checkout', '--quiet', '--force', '-B', WORK_BRANCH, base], stepId });
  await gitOutput(runner, { args: ['reset', '--quiet', '--hard', base], stepId });
  await gitOutput(runner, { args: ['clean', '-ffdxq', '-e', 'node_modules'], stepId });
}

function prepare(runner: RunnerContext, step: AgentStep): AgentTask {
  const scratch = join(runner.config.home, 'runs', step.stepId);
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  return {
    subject: step.subject,
    attempt: step.attempt,
    prompt: step.prompt,
    outputSchema: step.outputSchema ?? null,
    workspace: runner.config.workspace,
    tools: runner.config.tools,
    scratch,
    node: runner.config.node,
  };
}

async function play(
  run: { runner: RunnerContext; step: AgentStep; driver: AgentDriver; inbox: Inbox },
  task: AgentTask,
  progress: Progress,
): Promise<ProcessEnd> {
  const { runner, step, driver } = run;
  const command = driver.buildCommand(task);
  for (const [name, content] of Object.entries(command.files)) {
    writeFileSync(join(task.scratch, name), content, { mode: 0o600 });
  }
  const own = new AbortController();
  const endBecause = (reason: string): void => {
    progress.ended ??= reason;
    own.abort();
  };
  const lines = createLineSplitter((line) => {
    for (const event of driver.parseLine(line)) note(runner, step.stepId, { event, progress });
  });
  const closeInbox = run.inbox.open({ scratch: task.scratch, interrupt: () => endBecause('interrupted') });
  const end = await runCommand(runner, {
    argv: command.argv,
    cwd: runner.config.workspace,
    env: runEnvironment(runner.config, {
      phase: step.phase,
      gatewayUrl: runner.gatewayUrl,
      extra: command.env,
    }),
    stdin: command.stdin,
    timeoutMs: step.timeoutMs,
    stopped: AbortSignal.any([runner.stopped, own.signal]),
    stepId: step.stepId,
    onOutput(stream, text) {
      if (stream === 'stderr') {
        progress.stderrTail = (progress.stderrTail + text).slice(-STDERR_TAIL);
        return;
      }
      progress.stdoutLength += text.length;
      if (progress.stdoutLength > STDOUT_LIMIT) endBecause('the agent printed more than 64 MiB');
      else lines.push(text);
    },
  });
  closeInbox();
  lines.end();
  return end;
}

function note(
  runner: RunnerContext,
  stepId: string,
  { event, progress }: { event: AgentEvent; progress: Progress },
): void {
  progress.events.push(event);
  // The structured answer travels in the step's result, not twice.
  if (event.type === 'output') return;
  const { type, ...data } = event;
  runner.emit(`agent.${type}`, data, stepId);
}

function conclude(driver: AgentDriver, end: ProcessEnd, progress: Progress): StepResult {
  if (end.startError !== null) return { kind: 'broken', reason: `the agent: ${end.startError}` };
  if (progress.ended !== null) return failed(progress.ended);
  const { code, timedOut } = end;
  const outcome = driver.judge({
    code,
    timedOut,
    events: progress.events,
    stderrTail: progress.stderrTail.toWellFormed(),
  });
  if (outcome.kind === 'failed') return failed(outcome.reason);
  if (jsonBytes(outcome.output) > LIMITS.resultBytes - RESULT_OVERHEAD) {
    return failed('the output is larger than 2 MiB');
  }
  return { kind: 'agent', outcome: 'done', output: outcome.output ?? null, reason: null };
}

function failed(reason: string): StepResult {
  return { kind: 'agent', outcome: 'failed', output: null, reason };
}

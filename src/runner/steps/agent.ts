import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentDriver, AgentTask, FailureKind } from '../../agent/driver.ts';
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
import { createProgress, type Progress, readOutputFile } from './agent-progress.ts';

type AgentStep = Extract<Step, { kind: 'agent' }>;

/** More output than this from one run is a loop and not work, characters. */
const STDOUT_LIMIT = 64 * 1024 * 1024;
/** Room for the result's other fields, bytes. */
const RESULT_OVERHEAD = 4_096;

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
    const progress = createProgress((type, data) => runner.emit(type, data, step.stepId));
    const played = await play({ runner, step, driver, inbox }, task, progress);
    return conclude(driver, { ...played, task }, progress);
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
    model: modelOf(runner, step),
    maxTurns: step.maxTurns ?? null,
    command: step.command ?? null,
    workspace: runner.config.workspace,
    tools: runner.config.tools,
    scratch,
    node: runner.config.node,
  };
}

/** The gateway stands for the model's provider: it adds the key and passes the rest of the path on. */
function modelOf({ gatewayUrl, config }: RunnerContext, { model }: AgentStep): AgentTask['model'] {
  if (!model) return null;
  return { ...model, baseUrl: `${gatewayUrl}/llm/${config.generation}/${model.api}` };
}

interface Played {
  readonly end: ProcessEnd;
  readonly outputText: string | null;
}

async function play(
  run: { runner: RunnerContext; step: AgentStep; driver: AgentDriver; inbox: Inbox },
  task: AgentTask,
  progress: Progress,
): Promise<Played> {
  const { runner, step, driver } = run;
  const command = driver.buildCommand(task);
  for (const [name, content] of Object.entries(command.files)) {
    writeFileSync(join(task.scratch, name), content, { mode: 0o600 });
  }
  const own = new AbortController();
  const endBecause = (reason: string, why: FailureKind): void => {
    progress.ended ??= { reason, why };
    own.abort();
  };
  const lines = createLineSplitter((line) => {
    for (const event of driver.parseLine(line)) progress.note(event);
  });
  const closeInbox = run.inbox.open({
    scratch: task.scratch,
    interrupt: () => endBecause('interrupted', 'work'),
  });
  const end = await runCommand(runner, {
    argv: command.argv,
    cwd: runner.config.workspace,
    env: runEnvironment(runner.config, {
      phase: step.phase,
      gatewayUrl: runner.gatewayUrl,
      extra: command.env,
      withAgents: true,
    }),
    stdin: command.stdin,
    timeoutMs: step.timeoutMs,
    stopped: AbortSignal.any([runner.stopped, own.signal]),
    stepId: step.stepId,
    onOutput(stream, text) {
      if (stream === 'stderr') return progress.noteStderr(text);
      progress.stdoutLength += text.length;
      if (progress.stdoutLength > STDOUT_LIMIT) endBecause('the agent printed more than 64 MiB', 'limit');
      else lines.push(text);
    },
  });
  closeInbox();
  lines.end();
  const { outputFile } = command;
  return { end, outputText: outputFile === null ? null : readOutputFile(join(task.scratch, outputFile)) };
}

function conclude(
  driver: AgentDriver,
  { end, outputText, task }: Played & { task: AgentTask },
  progress: Progress,
): StepResult {
  if (end.startError !== null) return { kind: 'broken', reason: missing(driver, end.startError) };
  if (progress.ended !== null) return failed(progress.ended);
  const outcome = driver.judge({
    code: end.code,
    timedOut: end.timedOut,
    events: progress.newest(),
    stderrTail: progress.stderrTail().toWellFormed(),
    outputText,
    wantsOutput: task.outputSchema !== null,
  });
  if (outcome.kind === 'failed') return failed(outcome);
  if (jsonBytes(outcome.output) > LIMITS.resultBytes - RESULT_OVERHEAD) {
    return failed({ reason: 'the output is larger than 2 MiB', why: 'work' });
  }
  return { kind: 'agent', outcome: 'done', output: outcome.output ?? null, reason: null };
}

function missing({ name, cli }: AgentDriver, startError: string): string {
  return `the agent ${name}: ${startError}${cli ? `; it is installed with: ${cli.install}` : ''}`;
}

function failed({ reason, why }: { reason: string; why: FailureKind }): StepResult {
  return { kind: 'agent', outcome: 'failed', output: null, reason, why };
}

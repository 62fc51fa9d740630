import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AgentDriver, AgentEvent, AgentOutcome, AgentTask } from '../../src/agent/driver.ts';
import { createLineSplitter } from '../../src/runner/lines.ts';
import { runProcess } from '../../src/runner/process.ts';
import { createProgress, readOutputFile } from '../../src/runner/steps/agent-progress.ts';

/** A run of a driver's program as the runner does it, outside of a sandbox. */
export interface DrivenRun {
  readonly code: number;
  readonly outcome: AgentOutcome;
  readonly events: readonly AgentEvent[];
  /** Standard output, line by line. */
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** A git repository with one commit, and the folders of one run beside it. */
export interface AgentGround {
  readonly folder: string;
  readonly workspace: string;
  readonly scratch: string;
  readonly home: string;
  git(...args: string[]): string;
  remove(): void;
}

export function layGround(): AgentGround {
  const folder = mkdtempSync(join(tmpdir(), 'specwright-agent-'));
  const [workspace, scratch, home] = ['workspace', 'scratch', 'home'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [workspace, scratch, home]) mkdirSync(path);
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: workspace, encoding: 'utf8' }).trim();
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'agent');
  git('config', 'user.email', 'agent@example.com');
  writeFileSync(join(workspace, 'README.md'), '# Demo\n');
  git('add', '-A');
  git('commit', '-q', '-m', 'init');
  return {
    folder,
    workspace,
    scratch,
    home,
    git,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs a driver's program on the ground. `programs` is the folder in which it is found. */
export async function driveAgent(
  driver: AgentDriver,
  ground: AgentGround,
  run: {
    readonly task: Pick<AgentTask, 'prompt' | 'outputSchema' | 'model' | 'maxTurns' | 'command'>;
    readonly programs: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly timeoutMs?: number;
  },
): Promise<DrivenRun> {
  const { workspace, scratch, home } = ground;
  const places = { workspace, scratch, tools: scratch, node: process.execPath };
  const command = driver.buildCommand({ subject: 'TSK-001', attempt: 1, ...places, ...run.task });
  for (const [name, text] of Object.entries(command.files)) writeFileSync(join(scratch, name), text);
  const events: AgentEvent[] = [];
  const progress = createProgress(() => {});
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => {
    lines.push(line);
    for (const event of driver.parseLine(line)) {
      events.push(event);
      progress.note(event);
    }
  });
  const path = [run.programs, dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':');
  const end = await runProcess({
    argv: command.argv,
    cwd: workspace,
    env: { HOME: home, PATH: path, LANG: 'C.UTF-8', ...command.env, ...run.env },
    stdin: command.stdin,
    timeoutMs: run.timeoutMs ?? 120_000,
    stopped: new AbortController().signal,
    onOutput: (stream, text) => (stream === 'stdout' ? splitter.push(text) : progress.noteStderr(text)),
  });
  splitter.end();
  if (end.startError !== null) throw new Error(end.startError);
  const { outputFile } = command;
  const outcome = driver.judge({
    code: end.code,
    timedOut: end.timedOut,
    events: progress.newest(),
    stderrTail: progress.stderrTail(),
    outputText: outputFile === null ? null : readOutputFile(join(scratch, outputFile)),
    wantsOutput: run.task.outputSchema !== null,
  });
  return { code: end.code, outcome, events, lines, stderr: progress.stderrTail() };
}

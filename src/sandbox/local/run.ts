import type { ChildProcess } from 'node:child_process';
import { UserError } from '../../errors.ts';
import type { ExecResult, SandboxCommand, SandboxProcess } from '../provider.ts';
import type { Box, Engine } from './box.ts';
import { asProcess, collect, endOf, killGroup } from './processes.ts';
import type { Finished } from './transfer.ts';

/** What `exec` keeps of each stream; more is read and dropped. */
export const OUTPUT_CAP = 1024 * 1024;
const CUT_NOTE = '\n[output cut after 1 MiB]\n';

export interface RunnerOptions {
  readonly engine: Engine;
  /** Called when a program ended badly, before anybody learns of it. */
  checkLimits(box: Box): Promise<void>;
}

export interface Runner {
  exec(box: Box, command: SandboxCommand): Promise<ExecResult>;
  spawn(box: Box, command: SandboxCommand): SandboxProcess;
  /** Runs to the end and keeps up to `cap` bytes of standard output. */
  bytes(box: Box, command: Input, cap: number): Promise<Finished>;
}

/** Runs programs in sandboxes by `engine`. Its functions throw UserError for a command no system could run. */
export function createRunner(options: RunnerOptions): Runner {
  return {
    async exec(box, command) {
      const { code, stdout, stderr, timedOut } = await finish(
        start(options, box, command),
        command,
        OUTPUT_CAP,
      );
      return { code, stdout: textOf(stdout), stderr: textOf(stderr), timedOut };
    },
    spawn(box, command) {
      const { child, end } = start(options, box, command);
      const done = endAfter(child, command.timeoutMs, () => {});
      return asProcess(child, end.finally(done));
    },
    async bytes(box, command, cap) {
      const { code, stdout, stderr, timedOut } = await finish(start(options, box, command), command, cap);
      return { code, stdout: stdout.bytes(), stderr: textOf(stderr), timedOut };
    },
  };
}

type Input = Omit<SandboxCommand, 'stdin'> & { readonly stdin?: Uint8Array | string };

function start({ engine, checkLimits }: RunnerOptions, box: Box, command: Input): Started {
  checkCommand(command);
  const child = engine.launch(box, {
    argv: command.argv,
    env: command.env ?? {},
    cwd: command.cwd ?? engine.paths(box).workspace,
    stdin: command.stdin,
  });
  box.children.add(child);
  // A program need not read what it is given.
  child.stdin?.on('error', () => {});
  child.stdin?.end(command.stdin);
  const end = endOf(child)
    .finally(() => box.children.delete(child))
    .then(async (code) => {
      if (code !== 0) await checkLimits(box);
      return code;
    });
  return { child, end };
}

async function finish({ child, end }: Started, command: Input, cap: number): Promise<Outcome> {
  const stdout = collect(child.stdout, cap);
  const stderr = collect(child.stderr, OUTPUT_CAP);
  let timedOut = false;
  const done = endAfter(child, command.timeoutMs, () => {
    timedOut = true;
  });
  const code = await end.finally(done);
  return { code, stdout, stderr, timedOut };
}

/** Ends a program after `ms` unless the returned function is called before. */
function endAfter(child: ChildProcess, ms: number | undefined, onTimeout: () => void): () => void {
  if (ms === undefined) return () => {};
  const timer = setTimeout(() => {
    onTimeout();
    killGroup(child);
  }, ms);
  return () => clearTimeout(timer);
}

interface Started {
  readonly child: ChildProcess;
  readonly end: Promise<number>;
}

type Collected = ReturnType<typeof collect>;

interface Outcome {
  readonly code: number;
  readonly stdout: Collected;
  readonly stderr: Collected;
  readonly timedOut: boolean;
}

function textOf(collected: Collected): string {
  return collected.bytes().toString('utf8') + (collected.cut ? CUT_NOTE : '');
}

/** `env`, which starts the program inside, would take such names for options or variables. */
function checkCommand({ argv, env = {}, cwd }: Omit<SandboxCommand, 'stdin'>): void {
  const program = argv[0] ?? '';
  if (program === '' || program.startsWith('-') || program.includes('=')) {
    throw new UserError(`not the name of a program: "${program}"`);
  }
  const names = Object.keys(env);
  if (names.some((name) => name === '' || name.includes('=')))
    throw new UserError('not a name of a variable');
  if ([...argv, cwd ?? '', ...names, ...Object.values(env)].some((text) => text.includes('\0'))) {
    throw new UserError('a command and its environment cannot hold a zero byte');
  }
}

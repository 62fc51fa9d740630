import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CliRun {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** The exit code, once both streams have ended too. */
  readonly ended: Promise<number | null>;
}

/**
 * `specwright <args>` as a process of its own, in `cwd`, with nothing in its environment but PATH, HOME and `env`, and
 * with `input` on its standard input.
 */
export function runCli(
  args: readonly string[],
  at: { cwd: string; env?: Record<string, string>; input?: string },
): CliRun {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: at.cwd,
    env: { PATH, HOME, ...at.env },
    stdio: [at.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  // Who refuses before he reads closes it, which is no mistake of the test.
  child.stdin?.on('error', () => {}).end(at.input);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(code));
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

import { spawn } from 'node:child_process';

export interface GitOutcome {
  code: number | null;
  /** Both streams. */
  output: string;
}

/** Runs git without blocking this process, which serves what git talks to. */
export function runGit(
  folder: string,
  args: string[],
  config: Record<string, string> = {},
): Promise<GitOutcome> {
  const settings = { 'user.name': 'Ann', 'user.email': 'ann@example.com', ...config };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const child = spawn('git', [...flags, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, output }));
  });
}

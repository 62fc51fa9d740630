import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where the real agents are; the suite that drives them installs nothing. @throws Error that says what to do */
export function agentPrograms(): string {
  const folder = process.env.AGENT_CLI_DIR;
  const programs = folder ? join(resolve(folder), 'node_modules/.bin') : '';
  if (!['claude', 'codex'].every((name) => existsSync(join(programs, name)))) {
    throw new Error(
      'This suite drives the real agents, which are no dependencies: run ' +
        '"npm install --prefix DIR @anthropic-ai/claude-code @openai/codex" and set AGENT_CLI_DIR to that DIR.',
    );
  }
  return programs;
}

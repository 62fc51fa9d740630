import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment, VariableName } from './config-schema.ts';

/** Something wrong with one variable. The text never quotes a value. */
export type Found = { readonly name: VariableName; readonly problem: string };

/** The text of a file; null where it can't be read. */
export function readFile(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Missing, a folder, or not ours to read: the operator is told which variable named it.
    return null;
  }
}

/** What no variable shows alone. */
export function contradictions(env: Environment): Found[] {
  const found: Found[] = [];
  if (env.SANDBOX_PROVIDER === 'daytona') {
    found.push({
      name: 'SANDBOX_PROVIDER',
      problem: 'names daytona, which is not available in this version',
    });
  }
  if (env.GHE_PROTOCOL === 'http' && !isLoopback(env.GHE_HOST)) {
    found.push({
      name: 'GHE_PROTOCOL',
      problem: 'is http, which would send tokens unencrypted to another machine',
    });
  }
  if (env.AGENT === 'scripted' && !env.AGENT_SCRIPT) {
    found.push({ name: 'AGENT_SCRIPT', problem: 'is not set, but AGENT is scripted' });
  }
  if (env.AGENT !== 'scripted' && env.AGENT_SCRIPT) {
    found.push({ name: 'AGENT', problem: 'is not scripted, so AGENT_SCRIPT would never be played' });
  }
  if (env.AGENT_CLI_DIR && !existsSync(join(env.AGENT_CLI_DIR, 'node_modules/.bin'))) {
    found.push({ name: 'AGENT_CLI_DIR', problem: 'names a folder in which npm has installed no program' });
  }
  if (env.MODEL_PRICES && readFile(env.MODEL_PRICES) === null) {
    found.push({ name: 'MODEL_PRICES', problem: 'names a file that cannot be read' });
  }
  if (env.AGENT_SCRIPT && readFile(env.AGENT_SCRIPT) === null) {
    found.push({ name: 'AGENT_SCRIPT', problem: 'names a file that cannot be read' });
  }
  return found;
}

function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host);
}

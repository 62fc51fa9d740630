import { readFileSync } from 'node:fs';
import type { RunnerConfig } from './protocol.ts';

const TEXT_FIELDS = [
  'sandboxId',
  'repository',
  'startSha',
  'startRef',
  'workspace',
  'home',
  'tools',
  'node',
] as const;

/**
 * Reads {tools}/runner.json. The app wrote it from the schema, so this only catches a wrong or cut-off file.
 * @throws Error that names the first bad field, never its value
 */
export function readConfig(path: string): RunnerConfig {
  const config = JSON.parse(readFileSync(path, 'utf8')) as Partial<RunnerConfig> | null;
  for (const field of TEXT_FIELDS) {
    if (typeof config?.[field] !== 'string') throw new Error(`runner.json: "${field}" is no text`);
  }
  for (const field of ['generation', 'heartbeatMs'] as const) {
    if (!Number.isInteger(config?.[field]) || Number(config?.[field]) < 1) {
      throw new Error(`runner.json: "${field}" is no positive whole number`);
    }
  }
  if (!['socket', 'url'].includes(String(config?.gateway?.kind))) {
    throw new Error('runner.json: "gateway" is neither a socket nor a url');
  }
  if (typeof config?.environment !== 'object') throw new Error('runner.json: "environment" is missing');
  return config as RunnerConfig;
}

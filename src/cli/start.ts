import { parseArgs } from 'node:util';
import { runProcess } from '../main.ts';
import { configOrExit, loadDotEnv } from './environment.ts';

/** `specwright start`: runs the App until it is told to stop. */
export async function start(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { role: { type: 'string' } } });
  loadDotEnv();
  const config = configOrExit({ ...process.env, ...(values.role ? { ROLE: values.role } : {}) });
  return typeof config === 'number' ? config : runProcess(config);
}

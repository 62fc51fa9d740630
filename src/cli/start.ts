import { parseArgs } from 'node:util';
import { configOrExit, loadDotEnv } from './environment.ts';

/** `specwright start`: runs the App until it is told to stop. */
export async function start(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { role: { type: 'string' } } });
  loadDotEnv();
  const config = configOrExit({ ...process.env, ...(values.role ? { ROLE: values.role } : {}) });
  if (typeof config === 'number') return config;
  // Loaded when it is needed: who has something to set right hears of it at once.
  const { runProcess } = await import('../main.ts');
  return runProcess(config);
}

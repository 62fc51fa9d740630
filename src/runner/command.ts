import { basename } from 'node:path';
import type { Emit } from './context.ts';
import { type ProcessEnd, type ProcessRequest, runProcess } from './process.ts';

/** Runs a child and reports its start and its end by its program's name; arguments may hold a prompt and stay here. */
export async function runCommand(
  place: { readonly emit: Emit },
  request: ProcessRequest & { readonly stepId: string | null },
): Promise<ProcessEnd> {
  const argv0 = basename(request.argv[0] ?? '');
  const start = performance.now();
  place.emit('command.started', { argv0 }, request.stepId);
  const end = await runProcess(request);
  const ms = Math.round(performance.now() - start);
  place.emit('command.ended', { argv0, code: end.code, timedOut: end.timedOut, ms }, request.stepId);
  return end;
}

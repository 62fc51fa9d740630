import { Readable } from 'node:stream';
import type { Fault } from './records.ts';
import type { Reply } from './reply.ts';

/** Does a request under a fault: not at all, after a wait, or wholly but with another answer. `reset` asks for the connection to be cut. */
export async function underFault(
  fault: Fault | null | undefined,
  work: () => Promise<Reply>,
): Promise<Reply | 'reset'> {
  if (!fault) return work();
  if ('delayMs' in fault) {
    await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    return work();
  }
  if ('before' in fault) return 'reset';
  if ('after' in fault) {
    const done = await work();
    if (done.body instanceof Readable) done.body.destroy(); // what would have been sent is thrown away
    if (fault.after === 'reset') return 'reset';
    return { status: fault.after, body: fault.body ?? faultBody(fault.after) };
  }
  return { status: fault.status, body: fault.body ?? faultBody(fault.status), headers: fault.headers ?? {} };
}

function faultBody(status: number): { message: string; status: string } {
  return { message: status >= 500 ? 'Server Error' : 'Fault', status: String(status) };
}

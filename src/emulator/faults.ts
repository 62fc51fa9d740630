import { Readable } from 'node:stream';
import type { EmulatorHooks, Fault, FaultRule, RequestRecord } from './records.ts';
import type { Reply } from './reply.ts';

/** What becomes of a request: its answer, half of its answer, or no answer. */
export type Outcome = { readonly reply: Reply; readonly cut: 'none' | 'half' } | { readonly cut: 'before' };

/** The fault that the hooks hold for a request; null for none. */
export function faultFor(hooks: EmulatorHooks, record: RequestRecord): Fault | null {
  const asked = hooks.onRequest?.(record);
  if (asked) return asked;
  for (const rule of hooks.faults ?? []) {
    if (matches(rule, record.route) && strikes(rule)) return rule.fault;
  }
  return null;
}

function matches(rule: FaultRule, route: string): boolean {
  return typeof rule.route === 'string' ? rule.route === route : rule.route.test(route);
}

function strikes(rule: FaultRule): boolean {
  rule.seen = (rule.seen ?? 0) + 1;
  const struck = rule.struck ?? 0;
  if (rule.seen <= (rule.after ?? 0) || struck >= (rule.times ?? 1)) return false;
  rule.struck = struck + 1;
  return true;
}

/** Does a request under a fault: not at all, after a wait, or wholly but with another answer, half an answer or none. */
export async function underFault(fault: Fault | null, work: () => Promise<Reply>): Promise<Outcome> {
  if (!fault) return { reply: await work(), cut: 'none' };
  if ('delayMs' in fault) {
    await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    return underFault(fault.next ?? null, work);
  }
  if ('before' in fault) return { cut: 'before' };
  if ('redirect' in fault) return { reply: redirection(fault.status ?? 301, fault.redirect), cut: 'none' };
  if (!('after' in fault)) return { reply: replacement(fault), cut: 'none' };
  const done = await work();
  if (fault.lateMs !== undefined) await new Promise((resolve) => setTimeout(resolve, fault.lateMs));
  if (fault.after === 'half') return { reply: done, cut: 'half' };
  if (done.body instanceof Readable) done.body.destroy(); // what would have been sent is thrown away
  if (fault.after === 'reset') return { cut: 'before' };
  return { reply: replacement({ ...fault, status: fault.after }), cut: 'none' };
}

function redirection(status: number, url: string): Reply {
  const message = status === 301 ? 'Moved Permanently' : 'Temporary Redirect';
  const body = { message, url, documentation_url: 'https://docs.github.com/rest' };
  return { status, body, headers: { location: url } };
}

function replacement(fault: { status: number; body?: unknown; headers?: Record<string, string> }): Reply {
  const { status, headers = {} } = fault;
  const body = fault.body ?? { message: status >= 500 ? 'Server Error' : 'Fault', status: String(status) };
  if (typeof body !== 'string') return { status, body, headers };
  const type = body.trimStart().startsWith('<') ? 'text/html' : 'application/json';
  return { status, body, headers: { 'content-type': `${type}; charset=utf-8`, ...headers } };
}

import { api } from '../payloads/accounts.ts';
import { ok, type Reply } from '../reply.ts';
import type { Call } from './call.ts';

export interface Page {
  readonly number: number;
  readonly size: number;
}

/** Which page a caller asks for: 30 entries by default, 100 at most. */
export function pageOf(call: Call): Page {
  const whole = (name: string, fallback: number) => {
    const value = Number.parseInt(call.query.get(name) ?? '', 10);
    return Number.isFinite(value) && value > 0 ? value : fallback;
  };
  return { number: whole('page', 1), size: Math.min(whole('per_page', 30), 100) };
}

/** The entries of the wanted page. */
export function slice<T>(all: readonly T[], page: Page): T[] {
  return all.slice((page.number - 1) * page.size, page.number * page.size);
}

/** Answers one page of a list with its `Link` header; `path` is the request's path below `/api/v3`. */
export async function paged<T>(
  call: Call,
  all: readonly T[],
  options: { path: string; show: (entry: T) => unknown },
): Promise<Reply> {
  const page = pageOf(call);
  const body = await Promise.all(slice(all, page).map((entry) => options.show(entry)));
  return ok(body, linkHeader(call, { path: options.path, total: all.length }));
}

/** The `Link` header of a list of `total` entries; empty where there is one page. */
export function linkHeader(call: Call, list: { path: string; total: number }): Record<string, string> {
  const page = pageOf(call);
  const last = Math.max(1, Math.ceil(list.total / page.size));
  const target = (number: number) => {
    const query = new URLSearchParams(call.query);
    query.set('page', String(number));
    return `<${api(call.world)}${list.path}?${query.toString()}>`;
  };
  const links: string[] = [];
  if (page.number > 1) links.push(`${target(page.number - 1)}; rel="prev"`);
  if (page.number < last) links.push(`${target(page.number + 1)}; rel="next"`, `${target(last)}; rel="last"`);
  if (page.number > 1) links.push(`${target(1)}; rel="first"`);
  return links.length > 0 ? { link: links.join(', ') } : {};
}

import type { Actor } from './auth.ts';
import { problem } from './reply.ts';
import { now, type World } from './state.ts';
import { instant, type Resource, spenderOf, usageOf } from './usage.ts';

const WINDOW_MS = 60 * 60 * 1000;

/** How much of its hour somebody has used; `reset` in epoch seconds. */
export interface Rate {
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  readonly reset: number;
  readonly resource: Resource;
}

/** What is left to an actor; its hour begins with its first request. */
export function rateOf(world: World, actor: Actor, resource: Resource): Rate {
  const { limits } = world.hooks;
  const limit = actor.kind === 'anonymous' ? limits.anonymous : limits[resource];
  const { used, resetAt } = windowOf(world, actor, resource);
  const reset = Math.ceil((resetAt === 0 ? instant(world) + WINDOW_MS : resetAt) / 1000);
  return { limit, used, remaining: Math.max(0, limit - used), reset, resource };
}

function windowOf(world: World, actor: Actor, resource: Resource): { used: number; resetAt: number } {
  const window = usageOf(world, actor).windows[resource];
  if (window.resetAt !== 0 && window.resetAt <= instant(world))
    Object.assign(window, { used: 0, resetAt: 0 });
  return window;
}

/** Counts one request; 403 with nothing remaining where the hour is used up. */
export function takeOne(world: World, actor: Actor, resource: Resource): void {
  if (rateOf(world, actor, resource).remaining === 0) {
    throw problem(
      403,
      `API rate limit exceeded for ${spenderOf(actor)}. If you reach out to GitHub Support for help, please include the timestamp ${now(world).toISOString()}.`,
    );
  }
  const window = windowOf(world, actor, resource);
  if (window.resetAt === 0) window.resetAt = instant(world) + WINDOW_MS;
  window.used += 1;
}

/** Gives a request back: an authorized one that was answered 304 does not count. */
export function giveBack(world: World, actor: Actor, resource: Resource): void {
  if (actor.kind === 'anonymous') return;
  const window = windowOf(world, actor, resource);
  window.used = Math.max(0, window.used - 1);
}

/** The headers that tell a rate. */
export function rateHeaders(rate: Rate): Record<string, string> {
  return {
    'x-ratelimit-limit': String(rate.limit),
    'x-ratelimit-remaining': String(rate.remaining),
    'x-ratelimit-used': String(rate.used),
    'x-ratelimit-reset': String(rate.reset),
    'x-ratelimit-resource': rate.resource,
  };
}

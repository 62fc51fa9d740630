import type { Actor } from './auth.ts';
import { Problem } from './reply.ts';
import type { World } from './state.ts';
import { instant, type Resource, type SecondaryLimits, type Spent, usageOf } from './usage.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DOCS =
  'https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits';

// What GitHub calls content: what people are notified of.
const CONTENT = /^(POST|PATCH|PUT) \/repos\/\{owner\}\/\{repo\}\/(issues|labels|pulls)\b/;

export interface Weight {
  readonly resource: Resource;
  readonly points: number;
  readonly content: boolean;
}

/** What a REST request weighs: 1 point to read, 5 to write. */
export function weightOfRest(route: string): Weight {
  const reads = /^(GET|HEAD|OPTIONS) /.test(route);
  return { resource: 'core', points: reads ? 1 : 5, content: CONTENT.test(route) };
}

/** What a GraphQL request weighs: 1 point, 5 with mutations. */
export function weightOfGraphql(document: string): Weight {
  const writes = /\bmutation\b/.test(document);
  return { resource: 'graphql', points: writes ? 5 : 1, content: false };
}

/** Counts a request towards the secondary limits; refused beyond them. Nothing is limited while the hooks have none. */
export function spend(world: World, actor: Actor, weight: Weight): void {
  const limits = world.hooks.secondaryLimits;
  if (!limits) return;
  const usage = usageOf(world, actor);
  const at = instant(world);
  usage.spent = usage.spent.filter((one) => one.at > at - HOUR_MS);
  const spent: Spent = { ...weight, at };
  const broken = breach(limits, [...usage.spent, spent], spent);
  if (broken || usage.underWay > limits.concurrent) throw refusal(limits, broken === 'content');
  usage.spent.push(spent);
}

function breach(limits: SecondaryLimits, all: readonly Spent[], last: Spent): 'content' | 'points' | null {
  const minute = all.filter((one) => one.at > last.at - MINUTE_MS);
  const written = (some: readonly Spent[]) => some.filter((one) => one.content).length;
  if (last.content && (written(minute) > limits.contentPerMinute || written(all) > limits.contentPerHour)) {
    return 'content';
  }
  const same = minute.filter((one) => one.resource === last.resource);
  const points = same.reduce((sum, one) => sum + one.points, 0);
  const most = last.resource === 'core' ? limits.restPointsPerMinute : limits.graphqlPointsPerMinute;
  return points > most ? 'points' : null;
}

function refusal(limits: SecondaryLimits, content: boolean): Error {
  const message = content
    ? 'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.'
    : 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  const headers: Record<string, string> =
    limits.retryAfter === null ? {} : { 'retry-after': String(limits.retryAfter) };
  return new Problem(limits.status, message, { details: { documentation_url: DOCS }, headers });
}

/** Does a request while it counts as one that is under way. */
export async function underWay<T>(world: World, actor: Actor, work: () => Promise<T>): Promise<T> {
  const usage = usageOf(world, actor);
  usage.underWay += 1;
  try {
    return await work();
  } finally {
    usage.underWay -= 1;
  }
}

import type { Actor } from './auth.ts';
import { now, type World } from './state.ts';

/** Requests an hour; GitHub's own figures at first. */
export interface PrimaryLimits {
  /** REST, for each installation, App and person. */
  core: number;
  /** GraphQL points, for each installation and person. */
  graphql: number;
  /** REST without credentials. */
  anonymous: number;
}

/** What GitHub stops in bursts. */
export interface SecondaryLimits {
  readonly contentPerMinute: number;
  readonly contentPerHour: number;
  readonly restPointsPerMinute: number;
  readonly graphqlPointsPerMinute: number;
  /** Requests under way at the same time. */
  readonly concurrent: number;
  readonly status: 403 | 429;
  /** Seconds in `retry-after`; null leaves the header out. */
  readonly retryAfter: number | null;
}

// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
export const GITHUB_PRIMARY_LIMITS: PrimaryLimits = { core: 5000, graphql: 5000, anonymous: 60 };
export const GITHUB_SECONDARY_LIMITS: SecondaryLimits = {
  contentPerMinute: 80,
  contentPerHour: 500,
  restPointsPerMinute: 900,
  graphqlPointsPerMinute: 2000,
  concurrent: 100,
  status: 403,
  retryAfter: 60,
};

export type Resource = 'core' | 'graphql';

/** A request that counts towards secondary limits. */
export interface Spent {
  /** Epoch milliseconds of the emulator's clock. */
  readonly at: number;
  readonly resource: Resource;
  readonly points: number;
  readonly content: boolean;
}

/** What one installation, App or person has used. */
export interface Usage {
  readonly windows: Record<Resource, { used: number; resetAt: number }>;
  spent: Spent[];
  underWay: number;
}

/** Whose limits a request counts against. */
export function spenderOf(actor: Actor): string {
  if (actor.kind === 'installation') return `installation ID ${actor.installation.id}`;
  if (actor.kind === 'user') return `user ID ${actor.account.id}`;
  return actor.kind === 'app' ? `app ID ${actor.app.id}` : '127.0.0.1';
}

/** The usage of whoever sends a request; empty at first. */
export function usageOf(world: World, actor: Actor): Usage {
  const key = spenderOf(actor);
  const known = world.usage.get(key);
  if (known) return known;
  const fresh = () => ({ used: 0, resetAt: 0 });
  const usage: Usage = { windows: { core: fresh(), graphql: fresh() }, spent: [], underWay: 0 };
  world.usage.set(key, usage);
  return usage;
}

/** The emulator's time in epoch milliseconds. */
export function instant(world: World): number {
  return now(world).getTime();
}

import { fullUserJson } from '../payloads/accounts.ts';
import { rateOf } from '../primary-limits.ts';
import { notFound, ok, problem } from '../reply.ts';
import { findAccount } from '../state.ts';
import type { Resource } from '../usage.ts';
import { openRoute, type Route } from './call.ts';

const SEARCHES_PER_MINUTE = 30;

/** Accounts, and the routes that belong to nobody. */
export const userRoutes: readonly Route[] = [
  openRoute('GET /user', (call) => {
    if (call.actor.kind === 'anonymous') throw problem(401, 'Requires authentication');
    if (call.actor.kind !== 'user') throw problem(403, 'Resource not accessible by integration');
    return ok(fullUserJson(call.world, call.actor.account));
  }),
  openRoute('GET /users/{username}', (call) => {
    const account = findAccount(call.world, call.params.username ?? '');
    if (!account) throw notFound();
    return ok(fullUserJson(call.world, account));
  }),
  openRoute('GET /rate_limit', (call) => {
    const shown = (resource: Resource) => {
      const { limit, used, remaining, reset } = rateOf(call.world, call.actor, resource);
      return { limit, used, remaining, reset };
    };
    const core = shown('core');
    const search = { limit: SEARCHES_PER_MINUTE, used: 0, remaining: SEARCHES_PER_MINUTE, reset: core.reset };
    return ok({ resources: { core, search, graphql: shown('graphql') }, rate: core });
  }),
  openRoute('GET /meta', () => ok({ verifiable_password_authentication: false })),
  openRoute('GET /zen', () => ({ status: 200, body: 'Keep it logically awesome.' })),
];

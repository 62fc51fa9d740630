import { fullUserJson } from '../payloads/accounts.ts';
import { notFound, ok, problem } from '../reply.ts';
import { findAccount, now } from '../state.ts';
import { openRoute, type Route } from './call.ts';

/** The figures that every answer and `GET /rate_limit` report; the emulator sets no limit of its own. */
export const RATE_LIMIT = 5000;

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
    const reset = Math.floor(now(call.world).getTime() / 1000) + 3600;
    const rate = { limit: RATE_LIMIT, used: 0, remaining: RATE_LIMIT, reset };
    return ok({ resources: { core: rate, graphql: rate, search: rate }, rate });
  }),
  openRoute('GET /meta', () =>
    ok({ verifiable_password_authentication: false, installed_version: '3.20.0' }),
  ),
  openRoute('GET /zen', () => ({ status: 200, body: 'Keep it logically awesome.' })),
];

import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';
import type { ActorRecord } from './records.ts';
import { problem } from './reply.ts';
import {
  type Account,
  type App,
  accountOf,
  type Installation,
  now,
  type Permissions,
  type World,
} from './state.ts';

export type Actor =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'app'; readonly app: App }
  | {
      readonly kind: 'installation';
      readonly app: App;
      readonly installation: Installation;
      readonly permissions: Permissions;
      readonly repositoryIds: ReadonlySet<number> | null;
      readonly token: string;
    }
  | { readonly kind: 'user'; readonly account: Account };

const MAX_JWT_SECONDS = 600;
// GitHub allows for clocks that differ by about a minute.
const SKEW_SECONDS = 60;

/** An opaque installation token in the length and form that GitHub issues since 2026. */
export function newInstallationToken(appId: number): string {
  const part = (bytes: number) => randomBytes(bytes).toString('base64url');
  return `ghs_${appId}_${part(27)}.${part(96)}.${part(256)}`;
}

/** An opaque personal token. */
export function newUserToken(): string {
  return `ghp_${randomBytes(27).toString('base64url').replace(/[-_]/g, 'x')}`;
}

/** Tells who sends a request from its Authorization header; 401 for what is unknown, expired or revoked, 403 for a suspended installation. */
export function authenticate(world: World, header: string | undefined): Actor {
  const secret = secretOf(header);
  if (secret === null) return { kind: 'anonymous' };
  if (secret.split('.').length === 3 && !secret.startsWith('gh'))
    return { kind: 'app', app: appOfJwt(world, secret) };
  return actorOfToken(world, secret);
}

function secretOf(header: string | undefined): string | null {
  if (!header) return null;
  const [scheme = '', value = ''] = header.trim().split(/\s+/);
  if (/^(bearer|token)$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) throw problem(401, 'Bad credentials');
  const [user = '', ...rest] = Buffer.from(value, 'base64').toString().split(':');
  return rest.join(':') || user;
}

function actorOfToken(world: World, secret: string): Actor {
  const token = world.tokens.get(secret);
  if (token?.kind === 'user') return { kind: 'user', account: accountOf(world, token.accountId) };
  const installation = token && world.installations.get(token.installationId);
  const app = installation && world.apps.get(installation.appId);
  if (!token || !installation || !app || token.expiresAt <= now(world)) throw problem(401, 'Bad credentials');
  refuseFresh(world, token.mintedAt);
  if (installation.suspendedAt) throw problem(403, 'This installation has been suspended');
  world.usedTokens.add(secret);
  const { permissions, repositoryIds } = token;
  return { kind: 'installation', app, installation, permissions, repositoryIds, token: secret };
}

function refuseFresh(world: World, mintedAt: Date): void {
  const { refusedForMs, status } = world.hooks.freshTokens;
  if (now(world).getTime() - mintedAt.getTime() >= refusedForMs) return;
  throw problem(status, status === 401 ? 'Bad credentials' : 'Resource not accessible by integration');
}

interface Claims {
  iat?: unknown;
  exp?: unknown;
  iss?: unknown;
}

function decoded(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // answered below, as GitHub does for anything that is no JWT
  }
  throw problem(401, 'A JSON web token could not be decoded');
}

/** Checks an App's JWT: RS256 by its own key, issued in the past, at most ten minutes long. Judged by real time, which `advanceClock` does not move. */
function appOfJwt(world: World, jwt: string): App {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const claims: Claims = decoded(payload);
  const issuer = String(claims.iss);
  const app = [...world.apps.values()].find((one) => String(one.id) === issuer || one.clientId === issuer);
  if (!app) throw problem(404, 'Integration not found');
  const signed = Buffer.from(`${header}.${payload}`);
  const genuine =
    decoded(header).alg === 'RS256' &&
    verify('RSA-SHA256', signed, app.publicKey, Buffer.from(signature, 'base64url'));
  if (!genuine) throw problem(401, 'A JSON web token could not be decoded');
  checkTimes(claims, Math.floor(Date.now() / 1000));
  return app;
}

function checkTimes(claims: Claims, seconds: number): void {
  const { iat, exp } = claims;
  if (typeof iat !== 'number' || iat > seconds + SKEW_SECONDS) {
    throw problem(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  if (typeof exp !== 'number' || exp <= seconds) {
    throw problem(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (exp - seconds > MAX_JWT_SECONDS + SKEW_SECONDS || exp - iat > MAX_JWT_SECONDS + SKEW_SECONDS) {
    throw problem(401, "'Expiration time' claim ('exp') is too far in the future");
  }
}

/** The public half of a PEM private key. */
export function publicHalf(privateKey: string): KeyObject {
  return createPublicKey(createPrivateKey(privateKey));
}

/** The account that appears as the author of what an actor does; null for who has no account. */
export function accountOfActor(world: World, actor: Actor): Account | null {
  if (actor.kind === 'user') return actor.account;
  return actor.kind === 'installation' ? accountOf(world, actor.app.botId) : null;
}

/** How an actor stands in the request log: ids and logins, never a token. */
export function recordOf(actor: Actor): ActorRecord {
  if (actor.kind === 'app') return { kind: 'app', appId: actor.app.id };
  if (actor.kind === 'user') return { kind: 'user', login: actor.account.login };
  if (actor.kind === 'anonymous') return { kind: 'anonymous' };
  return { kind: 'installation', appId: actor.app.id, installationId: actor.installation.id };
}

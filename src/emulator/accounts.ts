import { generateKeyPairSync } from 'node:crypto';
import { newUserToken, publicHalf } from './auth.ts';
import {
  type Account,
  type AccountType,
  type App,
  findAccount,
  nextId,
  now,
  type Permissions,
  type World,
} from './state.ts';

export interface NewApp {
  readonly slug: string;
  readonly name: string;
  readonly webhookUrl?: string;
  readonly webhookSecret: string;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  /** PEM of an RSA key; made afresh when unset. */
  readonly privateKey?: string;
  /** Login of the account that owns the App. */
  readonly owner?: string;
}

/** Adds an account; throws when its login is taken. */
export function addAccount(world: World, login: string, type: AccountType): Account {
  if (findAccount(world, login)) throw new Error(`the emulator already has an account ${login}`);
  const account: Account = { id: nextId(world), login, type, createdAt: now(world) };
  world.accounts.set(account.id, account);
  return account;
}

/** A token for acting as a person. */
export function addUserToken(world: World, account: Account): string {
  const token = newUserToken();
  world.tokens.set(token, { kind: 'user', accountId: account.id });
  return token;
}

/** A fresh RSA key as PEM (PKCS#1, as GitHub hands it out). Takes 50-300 ms. */
export function newPrivateKey(): string {
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return keys.privateKey;
}

/** Registers an App with its bot account. */
export function addApp(world: World, fresh: NewApp & { privateKey: string }): App {
  const owner = fresh.owner === undefined ? null : (findAccount(world, fresh.owner) ?? null);
  const bot = addAccount(world, `${fresh.slug}[bot]`, 'Bot');
  const id = nextId(world);
  const app: App = {
    id,
    slug: fresh.slug,
    name: fresh.name,
    clientId: `Iv23li${String(id).padStart(14, '0')}`,
    hookId: nextId(world),
    ownerId: owner?.id ?? null,
    botId: bot.id,
    publicKey: publicHalf(fresh.privateKey),
    permissions: { metadata: 'read', ...fresh.permissions },
    events: fresh.events,
    webhookSecret: fresh.webhookSecret,
    createdAt: now(world),
    webhookUrl: fresh.webhookUrl === undefined ? null : new URL(fresh.webhookUrl).href,
  };
  world.apps.set(id, app);
  return app;
}

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAccount, addApp, addUserToken, type NewApp, newPrivateKey } from './accounts.ts';
import { createSender, type WebhookSender } from './delivery-queue.ts';
import { deliver } from './events.ts';
import * as installations from './installations.ts';
import type { DeliveryRecord, EmulatorHooks, MintRecord, RequestRecord } from './records.ts';
import * as repositories from './repositories.ts';
import { createEmulatorServer, type RequestLine } from './server.ts';
import { type EmulatorState, snapshot } from './snapshot.ts';
import {
  type AccountType,
  findAccount,
  fullName,
  mustRepository,
  now,
  type Role,
  type Rule,
  type World,
} from './state.ts';
import { postWebhook, webhookHeaders } from './webhooks.ts';

export type { NewApp } from './accounts.ts';
export type { DeliveryRecord, EmulatorHooks, Fault, RequestRecord } from './records.ts';
export type { RequestLine } from './server.ts';
export type { EmulatorState, PullState } from './snapshot.ts';
export type { Role, Rule } from './state.ts';

export interface EmulatorOptions {
  readonly host?: '127.0.0.1';
  /** Default: any free port. */
  readonly port?: number;
  /** Folder for the bare repositories, kept on close; a temporary one, removed on close, when unset. */
  readonly root?: string;
  /** Called for each REST, GraphQL and git request that was answered. */
  readonly log?: (line: RequestLine) => void;
}

export interface RawWebhookOptions {
  readonly appId: number;
  readonly event: string;
  /** The exact body; an object is sent as JSON. */
  readonly body: string | Buffer | Record<string, unknown>;
  readonly guid: string;
  /** Replace or, with an empty text, leave out single headers. */
  readonly headers?: Record<string, string>;
}

export interface Emulator {
  /** Origin of pages and git: `{url}/{owner}/{repo}[.git]`. */
  readonly url: string;
  /** Origin of REST: `{url}/api/v3`, as on GitHub Enterprise Server. */
  readonly apiUrl: string;
  /** Switches for tests: faults, lost webhooks, the order of a merge's webhooks. */
  readonly hooks: EmulatorHooks;
  createUser(user: { login: string; type?: AccountType }): { id: number; login: string; token: string };
  createApp(app: NewApp): { id: number; clientId: string; privateKey: string; slug: string };
  setWebhookUrl(appId: number, url: string | null): void;
  installApp(installation: installations.NewInstallation): Promise<{ installationId: number }>;
  createRepository(repository: repositories.NewRepository): Promise<{ id: number; fullName: string }>;
  addCollaborator(collaborator: { repo: string; login: string; permission: Role }): void;
  removeCollaborator(collaborator: { repo: string; login: string }): void;
  setRules(repo: string, rules: readonly Rule[]): void;
  renameRepository(repo: string, name: string): Promise<void>;
  transferRepository(repo: string, owner: string): Promise<void>;
  archiveRepository(repo: string, archived: boolean): Promise<void>;
  setPrivate(repo: string, hidden: boolean): Promise<void>;
  setDefaultBranch(repo: string, branch: string): Promise<void>;
  deleteRepository(repo: string): Promise<void>;
  renameAccount(login: string, to: string): void;
  includeRepository(installationId: number, repo: string): void;
  excludeRepository(installationId: number, repo: string): void;
  suspendInstallation(installationId: number): void;
  unsuspendInstallation(installationId: number): void;
  uninstall(installationId: number): void;
  /** Moves the time by which tokens expire and things are dated; App JWTs are still judged by real time. */
  advanceClock(milliseconds: number): void;
  state(): Promise<EmulatorState>;
  requests(): readonly RequestRecord[];
  deliveries(): readonly DeliveryRecord[];
  /** Every installation token that was ever minted, and whether GitHub would still take it. */
  installationTokens(): (MintRecord & { readonly live: boolean })[];
  /** Sends the newest delivery with this GUID again, as `POST /app/hook/deliveries/{id}/attempts` does, and waits until it was. */
  redeliver(guid: string): Promise<void>;
  /** Posts a signed webhook of any content past queue and hooks; the receiver's status, null for none in 10 s. */
  sendWebhook(webhook: RawWebhookOptions): Promise<number | null>;
  /** Resolves when no webhook is queued or under way. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Starts an emulated GitHub on one loopback port: REST, webhooks, git over HTTP and pages. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const root = options.root ?? (await mkdtemp(join(tmpdir(), 'github-emulator-')));
  await mkdir(root, { recursive: true });
  const hooks: EmulatorHooks = { mergeOrder: 'pull_request_first' };
  const sender = createSender(hooks);
  const world: World = {
    root,
    url: '',
    clockShiftMs: 0,
    lastId: 4_100_000,
    accounts: new Map(),
    apps: new Map(),
    installations: new Map(),
    repositories: new Map(),
    formerNames: new Map(),
    tokens: new Map(),
    minted: [],
    requests: [],
    deliveries: [],
    hooks,
    send: sender.send,
  };
  const server = createEmulatorServer(world, options.log);
  await listen(server, options);
  world.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => closeAll({ world, server, sender, keep: options.root !== undefined });
  return {
    ...peopleAndApps(world),
    ...repositoryControls(world),
    ...observations(world, sender),
    url: world.url,
    apiUrl: `${world.url}/api/v3`,
    hooks,
    close,
  };
}

function listen(server: Server, options: EmulatorOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function closeAll(all: {
  world: World;
  server: Server;
  sender: WebhookSender;
  keep: boolean;
}): Promise<void> {
  all.sender.close();
  all.server.closeAllConnections();
  await new Promise((resolve) => all.server.close(resolve));
  for (const repo of all.world.repositories.values()) {
    await repo.writes;
    repo.git.close();
  }
  if (!all.keep) await rm(all.world.root, { recursive: true, force: true, maxRetries: 3 });
}

type PeopleAndApps = Pick<
  Emulator,
  | 'createUser'
  | 'createApp'
  | 'setWebhookUrl'
  | 'installApp'
  | 'renameAccount'
  | 'includeRepository'
  | 'excludeRepository'
  | 'suspendInstallation'
  | 'unsuspendInstallation'
  | 'uninstall'
>;

function peopleAndApps(world: World): PeopleAndApps {
  return {
    createUser({ login, type = 'User' }) {
      const account = addAccount(world, login, type);
      return { id: account.id, login, token: addUserToken(world, account) };
    },
    createApp(fresh) {
      const privateKey = fresh.privateKey ?? newPrivateKey();
      const { id, clientId, slug } = addApp(world, { ...fresh, privateKey });
      return { id, clientId, slug, privateKey };
    },
    setWebhookUrl(appId, url) {
      const app = world.apps.get(appId);
      if (!app) throw new Error(`the emulator has no App ${appId}`);
      app.webhookUrl = url === null ? null : new URL(url).href;
    },
    installApp: async (fresh) => ({ installationId: installations.install(world, fresh).id }),
    renameAccount: (login, to) => installations.renameAccount(world, login, to),
    includeRepository: (id, repo) => installations.include(world, id, mustRepository(world, repo)),
    excludeRepository: (id, repo) => installations.exclude(world, id, mustRepository(world, repo)),
    suspendInstallation: (id) => installations.suspend(world, id),
    unsuspendInstallation: (id) => installations.unsuspend(world, id),
    uninstall: (id) => installations.uninstall(world, id),
  };
}

type RepositoryControls = Pick<
  Emulator,
  | 'createRepository'
  | 'addCollaborator'
  | 'removeCollaborator'
  | 'setRules'
  | 'renameRepository'
  | 'transferRepository'
  | 'archiveRepository'
  | 'setPrivate'
  | 'setDefaultBranch'
  | 'deleteRepository'
>;

function mustAccountId(world: World, login: string): number {
  const account = findAccount(world, login);
  if (!account) throw new Error(`the emulator has no account ${login}`);
  return account.id;
}

function repositoryControls(world: World): RepositoryControls {
  return {
    async createRepository(fresh) {
      const repo = await repositories.addRepository(world, fresh);
      return { id: repo.id, fullName: fullName(world, repo) };
    },
    addCollaborator({ repo, login, permission }) {
      mustRepository(world, repo).collaborators.set(mustAccountId(world, login), permission);
    },
    removeCollaborator({ repo, login }) {
      mustRepository(world, repo).collaborators.delete(mustAccountId(world, login));
    },
    setRules(repo, rules) {
      mustRepository(world, repo).rules = rules;
    },
    renameRepository: (repo, name) => repositories.renameRepository(world, repo, name),
    transferRepository: (repo, owner) => repositories.transferRepository(world, repo, owner),
    archiveRepository: (repo, archived) => repositories.archiveRepository(world, repo, archived),
    setPrivate: (repo, hidden) => repositories.setPrivate(world, repo, hidden),
    setDefaultBranch: (repo, branch) => repositories.setDefaultBranch(world, repo, branch),
    deleteRepository: (repo) => repositories.deleteRepository(world, repo),
  };
}

type Observations = Pick<
  Emulator,
  | 'advanceClock'
  | 'state'
  | 'requests'
  | 'deliveries'
  | 'installationTokens'
  | 'redeliver'
  | 'sendWebhook'
  | 'idle'
>;

function isLive(world: World, secret: string): boolean {
  const token = world.tokens.get(secret);
  return token?.kind === 'installation' && token.expiresAt > now(world);
}

function observations(world: World, sender: WebhookSender): Observations {
  return {
    advanceClock(milliseconds) {
      world.clockShiftMs += milliseconds;
    },
    state: () => snapshot(world),
    requests: () => world.requests,
    deliveries: () => world.deliveries,
    installationTokens: () =>
      world.minted.map((record) => ({ ...record, live: isLive(world, record.secret) })),
    async redeliver(guid) {
      const old = world.deliveries.findLast((one) => one.guid === guid);
      const app = old && world.apps.get(old.appId);
      if (!old || !app) throw new Error(`the emulator has no delivery ${guid}`);
      const { event, installationId, repositoryId, payload } = old;
      deliver(world, app, { event, installationId, repositoryId, payload, guid, redelivery: true });
      await sender.idle();
    },
    async sendWebhook({ appId, event, body, guid, headers = {} }) {
      const app = world.apps.get(appId);
      if (!app?.webhookUrl) throw new Error(`App ${appId} has no webhook address`);
      const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
      const all = { ...webhookHeaders(app, { event, guid }, bytes), ...headers };
      const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
      return postWebhook({ url: app.webhookUrl, body: bytes, headers: kept });
    },
    idle: () => sender.idle(),
  };
}

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NewApp } from './accounts.ts';
import { peopleAndApps, repositoryControls } from './controls.ts';
import { createSender, type WebhookSender } from './delivery-queue.ts';
import type { NewInstallation } from './installations.ts';
import { observations } from './observations.ts';
import type { DeliveryRecord, EmulatorHooks, MintRecord, RequestRecord } from './records.ts';
import type { NewRepository } from './repositories.ts';
import { createEmulatorServer, type RequestLine } from './server.ts';
import type { EmulatorState } from './snapshot.ts';
import { type AccountType, now, type Role, type Rule, type World } from './state.ts';
import { GITHUB_PRIMARY_LIMITS } from './usage.ts';

export type { NewApp } from './accounts.ts';
export type {
  DeliveryRecord,
  EmulatorHooks,
  Exchange,
  Fault,
  RequestRecord,
  SendDecision,
} from './records.ts';
export type { RequestLine } from './server.ts';
export type { EmulatorState, PullState } from './snapshot.ts';
export type { Role, Rule } from './state.ts';
export { GITHUB_PRIMARY_LIMITS, GITHUB_SECONDARY_LIMITS } from './usage.ts';

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
  installApp(installation: NewInstallation): Promise<{ installationId: number }>;
  createRepository(repository: NewRepository): Promise<{ id: number; fullName: string }>;
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
  installationTokens(): (MintRecord & { readonly live: boolean; readonly used: boolean })[];
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
  const hooks: EmulatorHooks = {
    mergeOrder: 'pull_request_first',
    limits: { ...GITHUB_PRIMARY_LIMITS },
    secondaryLimits: null,
    mergeableAfterMs: 0,
    freshTokens: { refusedForMs: 0, status: 401 },
  };
  const sender: WebhookSender = createSender(hooks, () => now(world));
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
    usedTokens: new Set(),
    requests: [],
    deliveries: [],
    hooks,
    usage: new Map(),
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

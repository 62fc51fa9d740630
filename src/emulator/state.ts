import type { KeyObject } from 'node:crypto';
import type { GitStore } from './git/store.ts';
import type { DeliveryRecord, EmulatorHooks, MintRecord, RequestRecord } from './records.ts';
import type { AutoMerge, CheckRun, CommitStatus, Review, ReviewThread } from './review-state.ts';
import type { Usage } from './usage.ts';

export type Json = Record<string, unknown>;
export type PermissionLevel = 'read' | 'write' | 'admin';
export type Permissions = Record<string, PermissionLevel>;
export type Role = 'read' | 'triage' | 'write' | 'maintain' | 'admin';
export type AccountType = 'User' | 'Organization' | 'Bot';

export interface Account {
  readonly id: number;
  login: string;
  readonly type: AccountType;
  readonly createdAt: Date;
}

export interface App {
  readonly id: number;
  readonly slug: string;
  readonly name: string;
  readonly clientId: string;
  readonly hookId: number;
  readonly ownerId: number | null;
  readonly botId: number;
  readonly publicKey: KeyObject;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  readonly webhookSecret: string;
  readonly createdAt: Date;
  webhookUrl: string | null;
}

export interface Installation {
  readonly id: number;
  readonly appId: number;
  readonly accountId: number;
  readonly permissions: Permissions;
  readonly events: readonly string[];
  readonly createdAt: Date;
  updatedAt: Date;
  selection: 'all' | 'selected';
  readonly repositoryIds: Set<number>;
  suspendedAt: Date | null;
}

/** A repository rule as `GET /repos/{owner}/{repo}/rules/branches/{branch}` answers it; `branches` are globs (`*` stays within a path segment, `**` and `~ALL` match anything, `~DEFAULT_BRANCH`), all branches when unset. */
export interface Rule {
  type: string;
  parameters?: Json;
  ruleset_source_type?: string;
  ruleset_source?: string;
  ruleset_id?: number;
  branches?: readonly string[];
}

export interface Label {
  readonly id: number;
  name: string;
  color: string;
  description: string | null;
  readonly isDefault: boolean;
}

export interface Reaction {
  readonly id: number;
  readonly userId: number;
  readonly content: string;
  readonly createdAt: Date;
}

export interface Comment {
  readonly id: number;
  readonly issueNumber: number;
  readonly userId: number;
  readonly appId: number | null;
  readonly createdAt: Date;
  readonly reactions: Reaction[];
  body: string;
  updatedAt: Date;
  minimized: string | null;
}

export interface Pull {
  readonly id: number;
  readonly headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  mergedAt: Date | null;
  mergedById: number | null;
  mergeSha: string | null;
  figures: PullFigures | null;
  /** When its merge was first asked for, for which two shas. */
  mergeAsked: { readonly key: string; readonly at: number } | null;
  readonly reviews: Review[];
  readonly threads: ReviewThread[];
  autoMerge: AutoMerge | null;
}

/** What git says about a pull request, kept until one of the two shas changes. */
export interface PullFigures {
  readonly key: string;
  readonly mergeable: boolean;
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
}

/** One entry of an issue's record, as `GET …/issues/{issue_number}/events` shows it. */
export interface IssueEvent {
  readonly id: number;
  readonly event: 'labeled' | 'unlabeled' | 'closed' | 'reopened';
  readonly actorId: number;
  readonly createdAt: Date;
  readonly label: Label | null;
}

export interface Issue {
  readonly id: number;
  readonly number: number;
  readonly userId: number;
  readonly appId: number | null;
  readonly createdAt: Date;
  readonly comments: Comment[];
  readonly reactions: Reaction[];
  /** What became of its labels and its state, oldest first. */
  readonly events: IssueEvent[];
  readonly pull: Pull | null;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  stateReason: string | null;
  labels: Label[];
  updatedAt: Date;
  closedAt: Date | null;
  closedById: number | null;
}

export interface PullIssue extends Issue {
  readonly pull: Pull;
}

export interface Repository {
  readonly id: number;
  readonly git: GitStore;
  readonly createdAt: Date;
  readonly issues: Map<number, Issue>;
  readonly commentOwners: Map<number, Issue>;
  readonly labels: Map<string, Label>;
  readonly collaborators: Map<number, Role>;
  /** Oldest first. */
  readonly checkRuns: CheckRun[];
  /** Oldest first. */
  readonly statuses: CommitStatus[];
  name: string;
  ownerId: number;
  description: string | null;
  defaultBranch: string;
  private: boolean;
  archived: boolean;
  allowsAutoMerge: boolean;
  rules: readonly Rule[];
  /** Commits that GitHub made and signed. */
  readonly signedCommits: Set<string>;
  updatedAt: Date;
  pushedAt: Date;
  /** The end of the queue of writes: each write waits for the one before it. */
  writes: Promise<unknown>;
}

export type Token =
  | { readonly kind: 'user'; readonly accountId: number }
  | {
      readonly kind: 'installation';
      readonly installationId: number;
      readonly permissions: Permissions;
      /** Null where the token reaches all repositories of its installation. */
      readonly repositoryIds: ReadonlySet<number> | null;
      readonly mintedAt: Date;
      readonly expiresAt: Date;
    };

export interface World {
  readonly root: string;
  /** Origin of html pages and git, without a slash at the end. */
  url: string;
  clockShiftMs: number;
  lastId: number;
  readonly accounts: Map<number, Account>;
  readonly apps: Map<number, App>;
  readonly installations: Map<number, Installation>;
  readonly repositories: Map<number, Repository>;
  /** Former full names (lower case) of renamed and moved repositories. */
  readonly formerNames: Map<string, number>;
  readonly tokens: Map<string, Token>;
  readonly minted: MintRecord[];
  /** Secrets that somebody has called with. */
  readonly usedTokens: Set<string>;
  readonly requests: RequestRecord[];
  readonly deliveries: DeliveryRecord[];
  readonly hooks: EmulatorHooks;
  /** What of the rate limits is used, by whom. */
  readonly usage: Map<string, Usage>;
  readonly send: (app: App, delivery: DeliveryRecord) => void;
}

/** The emulator's own time; tests move it with `advanceClock`. */
export function now(world: World): Date {
  return new Date(Date.now() + world.clockShiftMs);
}

/** A time as GitHub writes it: UTC without fractions of a second. */
export function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The next numeric id; unique over all kinds of object. */
export function nextId(world: World): number {
  world.lastId += 1;
  return world.lastId;
}

/** An opaque node id in GitHub's style. */
export function nodeId(kind: string, id: number): string {
  return `${kind}_kwDO${Buffer.from(String(id)).toString('base64url')}`;
}

/** The account with this id; an unknown id is a bug in the emulator. */
export function accountOf(world: World, id: number): Account {
  const account = world.accounts.get(id);
  if (!account) throw new Error(`no account ${id}`);
  return account;
}

/** Finds an account by its login, ignoring case. */
export function findAccount(world: World, login: string): Account | undefined {
  const wanted = login.toLowerCase();
  return [...world.accounts.values()].find((account) => account.login.toLowerCase() === wanted);
}

/** `owner/name` as it is now. */
export function fullName(world: World, repo: Repository): string {
  return `${accountOf(world, repo.ownerId).login}/${repo.name}`;
}

/** Finds a repository by its present full name, ignoring case. */
export function findRepository(world: World, name: string): Repository | undefined {
  const wanted = name.toLowerCase();
  return [...world.repositories.values()].find((repo) => fullName(world, repo).toLowerCase() === wanted);
}

/** The repository with this full name; throws when there is none. */
export function mustRepository(world: World, name: string): Repository {
  const repo = findRepository(world, name);
  if (!repo) throw new Error(`the emulator has no repository ${name}`);
  return repo;
}

/** Whether an installation reaches a repository. */
export function covers(installation: Installation, repo: Repository): boolean {
  if (installation.accountId !== repo.ownerId) return false;
  return installation.selection === 'all' || installation.repositoryIds.has(repo.id);
}

/** The repositories that an installation reaches, oldest first. */
export function repositoriesOf(world: World, installation: Installation): Repository[] {
  return [...world.repositories.values()].filter((repo) => covers(installation, repo));
}

/** Runs a write after all earlier writes to the same repository have ended. */
export function serially<T>(repo: Repository, work: () => Promise<T>): Promise<T> {
  const result = repo.writes.then(work);
  repo.writes = result.catch(() => undefined);
  return result;
}

import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Sent } from './arrange.ts';
import type { Random } from './random.ts';

/** Events of installations with some repositories each, in the order in which GitHub told them. */
export interface Told {
  readonly events: readonly Sent[];
  /** Puts in what was there before: a spec in review in one repository of each installation. */
  seed(db: Knex): Promise<void>;
}

const SENDER = { id: 1, login: 'mona', type: 'User' };
const REPOSITORIES = 3;
/** Events of one installation, its creation and its end included. */
const EVENTS = 25;
const START = Date.parse('2026-01-01T00:00:00Z');

interface Repository {
  readonly id: number;
  name: string;
  private: boolean;
  archived: boolean;
  branch: string;
  deleted: boolean;
}

/** Makes `count` events that change installations, repositories and specs, none of which asks GitHub anything. */
export function accountEvents(random: Random, count: number): Told {
  const accounts = Array.from({ length: Math.ceil(count / (EVENTS - 3)) }, (_, index) =>
    oneAccount(random, index + 1),
  );
  const specs = accounts.map(({ spec }) => spec);
  return {
    events: accounts.flatMap(({ events }) => events).slice(0, count),
    async seed(db) {
      await db('projects').insert(specs.map(({ project }) => project));
      await db('specs').insert(specs.map(({ row }) => ({ id: randomUUID(), ...row })));
    },
  };
}

function oneAccount(random: Random, number: number) {
  const account = { id: 500_000 + number, login: `account-${number}`, type: 'Organization' };
  const repos: Repository[] = Array.from({ length: REPOSITORIES }, (_, index) => ({
    id: number * 10 + index + 1_000_000,
    name: `shop-${index}`,
    private: false,
    archived: false,
    branch: 'main',
    deleted: false,
  }));
  const state = { clock: START, suspended: false, permissions: 1 };
  const { id } = account;
  const installation = () => ({
    id,
    account,
    permissions: { contents: state.permissions % 2 ? 'read' : 'write' },
    suspended_at: state.suspended ? new Date(state.clock).toISOString() : null,
    updated_at: new Date(state.clock).toISOString(),
  });
  const short = repos.map((repo) => ({
    id: repo.id,
    full_name: `${account.login}/${repo.name}`,
    private: false,
  }));
  const ofInstallation = (action: string, more: object = {}): Sent => {
    state.clock += 1000;
    const payload = { action, installation: installation(), sender: SENDER, ...more };
    return { event: 'installation', payload };
  };
  const ofRepository = (repo: Repository, action: string): Sent => {
    state.clock += 1000;
    return { event: 'repository', payload: { action, ...inRepository(repo) } };
  };
  const inRepository = (repo: Repository) => ({
    repository: {
      id: repo.id,
      name: repo.name,
      owner: account,
      private: repo.private,
      archived: repo.archived,
      default_branch: repo.branch,
      updated_at: new Date(state.clock).toISOString(),
    },
    installation: { id },
    sender: SENDER,
  });
  const [watched] = repos as [Repository];
  const pull = {
    number: 7,
    html_url: `https://github.com/${account.login}/${watched.name}/pull/7`,
    head: { ref: `spec/${number}-greet`, sha: 'b'.repeat(40), repo: { id: watched.id } },
    base: { ref: 'main', sha: 'a'.repeat(40), repo: { id: watched.id } },
  };
  const changes: (() => Sent)[] = [
    () => {
      state.suspended = !state.suspended;
      return ofInstallation(state.suspended ? 'suspend' : 'unsuspend');
    },
    () => {
      state.permissions += 1;
      return ofInstallation('new_permissions_accepted');
    },
    ...repos.flatMap((repo) => [
      () => {
        repo.name = `${repo.name.split('_')[0]}_${state.clock}`;
        return ofRepository(repo, 'renamed');
      },
      () => {
        repo.private = !repo.private;
        return ofRepository(repo, repo.private ? 'privatized' : 'publicized');
      },
      () => {
        repo.branch = `trunk-${state.clock}`;
        return ofRepository(repo, 'edited');
      },
    ]),
    () => ({
      event: 'pull_request',
      payload: { action: 'opened', ...inRepository(watched), pull_request: pull },
    }),
    () => ({
      event: 'issues',
      payload: { action: 'edited', ...inRepository(watched), issue: { number: 5, title: 'Greet', body: '' } },
    }),
    () => ({ event: 'star', payload: { action: 'created', ...inRepository(random.pick(repos)) } }),
  ];
  const events: Sent[] = [ofInstallation('created', { repositories: short })];
  while (events.length < EVENTS - 3) events.push(random.pick(changes)());
  const ending = random.int(4);
  if (ending === 1) events.push(ofRepository(repos[1]!, 'archived'));
  if (ending !== 2) {
    const merged = { ...pull, merged: true, merge_commit_sha: 'c'.repeat(40) };
    events.push({
      event: 'pull_request',
      payload: { action: 'closed', ...inRepository(watched), pull_request: merged },
    });
  }
  if (ending === 3) events.push(ofInstallation('deleted'));
  else if (ending === 2) events.push(ofRepository(repos[2]!, 'deleted'));
  const project = {
    repository_id: watched.id,
    installation_id: id,
    owner: account.login,
    name: watched.name,
  };
  const row = {
    repository_id: watched.id,
    installation_id: id,
    issue_number: 5,
    title: 'Greet',
    body: '',
    frozen_hash: 'h',
    requester_id: 1,
    requester_login: 'mona',
    settings: JSON.stringify({ settings: { label: 'spec' }, problems: [] }),
    status: 'in_review',
    phase: 'publish',
    branch_name: pull.head.ref,
    head_sha: pull.head.sha,
    pull_request_number: pull.number,
    pull_request_url: pull.html_url,
  };
  return { events, spec: { project, row } };
}

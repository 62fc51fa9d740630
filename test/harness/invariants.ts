import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SpecRow } from '../../src/db/specs.ts';
import type { IssueState, RepositoryState } from '../../src/emulator/snapshot.ts';
import { marker } from '../../src/github/markers.ts';
import { ownerIsDead } from '../../src/sandbox/local/owner.ts';
import { isLive, type Status } from '../../src/services/spec/states.ts';
import type { Line } from './line.ts';

interface Options {
  /** Shas of commits that people pushed. */
  readonly peoplesCommits?: readonly string[];
}

/**
 * What has to hold at any moment, also while everything lies dead: nothing is there twice, nothing is missing from
 * what was numbered, nothing of people's is lost, no lease has outlived its holder for long.
 */
export async function alwaysInvariants(line: Line, options: Options = {}): Promise<string[]> {
  const repo = (await line.github.state()).repos[line.world.repo.fullName]!;
  const specs: SpecRow[] = await line.database.db('specs');
  return [
    ...specs.flatMap((spec) => [...pulls(repo, spec), ...tooManyStatusComments(repo, spec)]),
    ...strayRefs(repo, specs),
    ...duplicateComments(repo),
    ...(await brokenSequences(line)),
    ...(await oldLeases(line)),
    ...(await lostCommits(line, repo, options.peoplesCommits ?? [])),
  ];
}

/** The same, given `ms` milliseconds for what is still on its way; what is broken then is answered. */
export async function settledInvariants(line: Line, options: Options = {}, ms = 20_000): Promise<string[]> {
  for (const end = Date.now() + ms; ; await delay(100)) {
    const broken = await checkInvariants(line, options);
    if (broken.length === 0 || Date.now() > end) return broken;
  }
}

/**
 * What has to hold whatever happened, read from the emulated GitHub and the database once nothing moves any more:
 * one sentence for each thing that does not. A token that was on its way to a process when that was killed is nobody's
 * and ends within the hour: those that were never used are left out.
 */
export async function checkInvariants(line: Line, options: Options = {}): Promise<string[]> {
  const repo = (await line.github.state()).repos[line.world.repo.fullName]!;
  const specs: SpecRow[] = await line.database.db('specs');
  const ofSpecs = await Promise.all(specs.map((spec) => ofSpec(line, repo, spec)));
  return [
    ...(await alwaysInvariants(line, options)),
    ...ofSpecs.flat(),
    ...(await unsentEffects(line)),
    ...(await openDeliveries(line)),
    ...(await orphans(line)),
    ...liveGitTokens(line),
  ];
}

async function ofSpec(line: Line, repo: RepositoryState, spec: SpecRow): Promise<string[]> {
  return [
    ...statusComment(repo, spec),
    ...(isLive(spec.status as Status) ? await stuck(line, spec) : await leftOvers(line, repo, spec)),
    ...(await commits(line, repo, spec)),
  ].map((broken) => `spec of issue ${spec.issue_number} (${spec.status}): ${broken}`);
}

function pulls(repo: RepositoryState, spec: SpecRow): string[] {
  const own = repo.pulls.filter(({ head }) => head.ref.startsWith(`spec/${spec.id.slice(0, 8)}`));
  if (own.length > 1) return [`the spec of #${spec.issue_number} has ${own.length} pull requests`];
  if (spec.status !== 'merged' || own[0]?.merged) return [];
  return [`the spec of #${spec.issue_number} is merged, but its pull request is not`];
}

function statusComments(repo: RepositoryState, spec: SpecRow): number {
  const issue = repo.issues.find(({ number }) => number === spec.issue_number);
  return issue?.comments.filter(({ body }) => body.includes(marker(`spec/${spec.id}/status`))).length ?? 0;
}

function statusComment(repo: RepositoryState, spec: SpecRow): string[] {
  return statusComments(repo, spec) === 0 ? ['no status comment'] : [];
}

function tooManyStatusComments(repo: RepositoryState, spec: SpecRow): string[] {
  const count = statusComments(repo, spec);
  return count > 1 ? [`the issue #${spec.issue_number} has ${count} status comments`] : [];
}

/** Something has to move a live spec on: a sandbox, a job, an effect, a person. */
async function stuck(line: Line, spec: SpecRow): Promise<string[]> {
  const waits = ['awaiting_approval', 'pr_failed', 'in_review'].includes(spec.status);
  if (waits || spec.hold !== null) return [];
  const { rows } = await line.database.db.raw(
    `select exists (select from sandboxes where spec_id = :id and state in ('requested', 'running'))
       or exists (select from effects where spec_id = :id and state = 'pending')
       or exists (select from pgboss.job where state in ('created', 'retry', 'active')
         and name <> 'status.sync' and data ->> 'specId' = :id::text) as moves`,
    { id: spec.id },
  );
  return rows[0].moves ? [] : ['nothing moves it'];
}

async function leftOvers(line: Line, repo: RepositoryState, spec: SpecRow): Promise<string[]> {
  const rows = await line.database.db('sandboxes').where({ spec_id: spec.id }).whereNot({ state: 'gone' });
  const found = rows.map(({ state }) => `a sandbox is ${state} after the end`);
  if (`refs/specwright/${spec.id.slice(0, 8)}` in repo.hiddenRefs)
    found.push('its checkpoint ref is still there');
  if (spec.status === 'merged' && spec.branch_name! in repo.branches) found.push('its branch is still there');
  return found;
}

/** Every task is one commit of the branch, named in its trailer. */
async function commits(line: Line, repo: RepositoryState, spec: SpecRow): Promise<string[]> {
  if (spec.pull_request_number === null) return [];
  const path = `/repos/${repo.fullName}/pulls/${spec.pull_request_number}/commits?per_page=100`;
  const list = await line.api<{ sha: string; commit: { message: string } }[]>('GET', path);
  const tasks = await line.database.db('tasks').where({ spec_id: spec.id });
  return tasks.flatMap(({ id, commit_sha: sha }) => {
    const own = list.filter(({ commit }) => new RegExp(`^Task: ${id}$`, 'm').test(commit.message));
    if (own.length === 1 && own[0]!.sha === sha) return [];
    return [`task ${id} has ${own.length} commits, and ${sha} is recorded`];
  });
}

function strayRefs(repo: RepositoryState, specs: readonly SpecRow[]): string[] {
  const prefixes = specs.map(({ id }) => id.slice(0, 8));
  const ours = Object.keys(repo.branches).filter((name) => name.startsWith('spec/'));
  return [
    ...prefixes.flatMap((id) => {
      const count = ours.filter((name) => name.startsWith(`spec/${id}`)).length;
      return count > 1 ? [`${count} branches of the spec ${id}`] : [];
    }),
    ...ours
      .filter((name) => !prefixes.some((id) => name.startsWith(`spec/${id}`)))
      .map((name) => `stray branch ${name}`),
  ];
}

const EFFECT_MARKER = /<!-- specwright:effect=\S+ -->/g;

function duplicateComments(repo: RepositoryState): string[] {
  return [...repo.issues, ...repo.pulls].flatMap((issue) =>
    repeated(markersOf(issue)).map((mark) => `#${issue.number} has more than one comment with ${mark}`),
  );
}

function markersOf(issue: Pick<IssueState, 'comments'>): string[] {
  return issue.comments.flatMap(({ body }) => body.match(EFFECT_MARKER) ?? []);
}

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}

async function unsentEffects(line: Line): Promise<string[]> {
  const rows = await line.database.db('effects').whereNot({ state: 'sent' });
  return rows.map(({ effect_key, state, last_error }) => `effect ${effect_key} is ${state} (${last_error})`);
}

async function openDeliveries(line: Line): Promise<string[]> {
  const rows = await line.database.db('deliveries').whereIn('state', ['pending', 'parked', 'unreadable']);
  return rows.map(({ event, action, state, reason }) => `${event}.${action} is ${state} (${reason})`);
}

/** Somebody takes over long before: the longest lease is half a minute. */
const LEASE_AGE = '2 minutes';

async function oldLeases(line: Line): Promise<string[]> {
  const { rows }: { rows: { what: string }[] } = await line.database.db.raw(
    `with leases (what, until) as (
       select 'delivery ' || guid, claimed_until from deliveries where state = 'pending'
       union all select 'effect ' || effect_key, lease_until from effects where state = 'pending'
       union all select 'status of ' || id, status_lease_until from specs where status_published_version < version)
     select what from leases where abs(extract(epoch from until - specwright_now())) > extract(epoch from ?::interval)`,
    [LEASE_AGE],
  );
  return rows.map(({ what }) => `${what} has a lease that ended long ago, or ends in a long time`);
}

/** What people pushed is still in a branch. */
async function lostCommits(line: Line, repo: RepositoryState, shas: readonly string[]): Promise<string[]> {
  const lost: string[] = [];
  for (const sha of shas) {
    let found = false;
    for (const head of Object.values(repo.branches)) {
      const path = `/repos/${repo.fullName}/compare/${sha}...${head}`;
      const { status } = await line.api<{ status: string }>('GET', path);
      found ||= status === 'ahead' || status === 'identical';
    }
    if (!found) lost.push(`the commit ${sha} of a person is in no branch`);
  }
  return lost;
}

/** Every worker that is written down lives, and of sandboxes there is exactly what the rows say. */
async function orphans(line: Line): Promise<string[]> {
  const { db } = line.database;
  const rows: { id: string; external_id: string | null; state: string }[] = await db('sandboxes');
  const known = new Set(rows.flatMap(({ external_id, state }) => (state === 'gone' ? [] : external_id)));
  const { rows: dead }: { rows: { id: string }[] } = await db.raw(
    `select id from workers where not exists (
       select from pg_locks where locktype = 'advisory' and granted and objsubid = 2
         and database = (select oid from pg_database where datname = current_database())
         and classid = 7301 and objid::bigint = (hashtext(id::text)::bigint & 4294967295))`,
  );
  const left = sandboxesOnDisk(line.folder).filter((name) => !known.has(name));
  const running = sandboxesOfProcesses(line.folder).filter((name) => !known.has(name));
  return [
    ...dead.map(({ id }) => `the dead worker ${id} was not written off`),
    ...left.map((name) => `the folder of sandbox ${name} is still there`),
    ...running.map((name) => `a process of sandbox ${name} still runs`),
  ];
}

function sandboxesOnDisk(folder: string): string[] {
  const base = join(folder, 'sandboxes');
  if (!existsSync(base)) return [];
  // What a living worker shares between its sandboxes is none.
  return readdirSync(base).filter((name) => ownerIsDead(name) || !name.includes('skeleton-'));
}

/** Known by what they have mounted. */
function sandboxesOfProcesses(folder: string): string[] {
  const names = new RegExp(`${basename(folder)}/sandboxes/(o\\d[^/ ]*)/`, 'g');
  const pids = existsSync('/proc/self/mountinfo')
    ? readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    : [];
  const found = pids.flatMap((pid) => [...mountsOf(pid).matchAll(names)].map((match) => match[1]!));
  return [...new Set(found)];
}

function mountsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8');
  } catch {
    return ''; // It has ended since it was listed.
  }
}

interface Numbering {
  readonly sandbox_id: string;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** What a sandbox says is numbered 1, 2, 3 … */
async function brokenSequences(line: Line): Promise<string[]> {
  const { rows }: { rows: Numbering[] } = await line.database.db.raw(
    `select sandbox_id, min(seq) as low, max(seq) as high, count(*)::int as count from run_events
     group by sandbox_id having min(seq) <> 1 or max(seq) <> count(*)`,
  );
  return rows.map(
    (row) => `sandbox ${row.sandbox_id} has ${row.count} events from ${row.low} to ${row.high}`,
  );
}

/** Only a run's git token is asked for with nothing but the contents. */
function liveGitTokens(line: Line): string[] {
  const live = line.github
    .installationTokens()
    .filter((token) => token.live && token.used && String(token.asked) === 'contents');
  return live.length === 0 ? [] : [`${live.length} git tokens were not revoked`];
}

import { setTimeout as delay } from 'node:timers/promises';
import type { SpecRow } from '../../src/db/specs.ts';
import type { IssueState, RepositoryState } from '../../src/emulator/snapshot.ts';
import { marker } from '../../src/github/markers.ts';
import { isLive, type Status } from '../../src/services/spec/states.ts';
import type { Line } from './line.ts';

interface Options {
  readonly killedAt?: Date;
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
 * one sentence for each thing that does not. A process that was killed can't revoke its tokens, which end within the
 * hour: `killedAt` is a moment after the last such end (and after what it had sent was answered), and tokens minted
 * before it are left out.
 */
export async function checkInvariants(line: Line, options: Options = {}): Promise<string[]> {
  const repo = (await line.github.state()).repos[line.world.repo.fullName]!;
  const specs: SpecRow[] = await line.database.db('specs');
  const ofSpecs = await Promise.all(specs.map((spec) => ofSpec(line, repo, spec)));
  return [
    ...ofSpecs.flat(),
    ...strayRefs(repo, specs),
    ...duplicateComments(repo),
    ...(await unsentEffects(line)),
    ...(await brokenSequences(line)),
    ...liveGitTokens(line, options.killedAt ?? new Date(0)),
  ];
}

async function ofSpec(line: Line, repo: RepositoryState, spec: SpecRow): Promise<string[]> {
  return [
    ...pulls(repo, spec),
    ...statusComment(repo, spec),
    ...(isLive(spec.status as Status) ? await stuck(line, spec) : await leftOvers(line, repo, spec)),
    ...(await commits(line, repo, spec)),
  ].map((broken) => `spec of issue ${spec.issue_number} (${spec.status}): ${broken}`);
}

function pulls(repo: RepositoryState, spec: SpecRow): string[] {
  const own = repo.pulls.filter(({ head }) => head.ref.startsWith(`spec/${spec.id.slice(0, 8)}`));
  if (own.length > 1) return [`${own.length} pull requests`];
  if (spec.status !== 'merged' || own[0]?.merged) return [];
  return ['merged, but its pull request is not'];
}

function statusComment(repo: RepositoryState, spec: SpecRow): string[] {
  const issue = repo.issues.find(({ number }) => number === spec.issue_number);
  const count = issue?.comments.filter(({ body }) => body.includes(marker(`spec/${spec.id}/status`))).length;
  return count === 1 ? [] : [`${count} status comments`];
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
function liveGitTokens(line: Line, killedAt: Date): string[] {
  const live = line.github
    .installationTokens()
    .filter((token) => token.live && token.mintedAt > killedAt && String(token.asked) === 'contents');
  return live.length === 0 ? [] : [`${live.length} git tokens were not revoked`];
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Script } from '../../src/agent/script.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import type { IssueState, RepositoryState } from '../../src/emulator/snapshot.ts';
import type { Running } from '../../src/main.ts';
import { prepareSpec } from '../../src/services/preflight/prepare.ts';
import type { Status } from '../../src/services/spec/states.ts';
import { type Line, openLine } from './line.ts';
import { until } from './until.ts';
import { liftWriteBudget } from './write-budget.ts';

interface Verdict {
  readonly state: string;
  readonly reason: string;
}

/** A line on which specs stay queued, so that what handlers do can be seen alone: no sandbox is made. */
export interface Desk extends Line {
  readonly app: Running;
  /** Starts the App again with another script. */
  play(script: Script): Promise<void>;
  /** `/repos/owner/name`. */
  readonly path: string;
  openIssue(title?: string, body?: string): Promise<number>;
  /** Sets a label, as the maintainer or with another token, and waits until everything that follows is done. */
  label(issue: number, token?: string, label?: string): Promise<void>;
  unlabel(issue: number, label?: string): Promise<void>;
  /** Waits until no webhook, delivery or effect is under way and each spec's first and last status is shown. */
  settle(): Promise<void>;
  /** How the newest delivery of an event ended. */
  verdict(event: string, action: string | null): Promise<Verdict>;
  /** The newest spec of an issue. */
  spec(issue: number): Promise<SpecRow>;
  specs(issue: number): Promise<SpecRow[]>;
  issue(issue: number): Promise<IssueState>;
  repository(): Promise<RepositoryState>;
  /** Comments of the App on an issue, without its status comment. */
  notices(issue: number): Promise<string[]>;
  /** Lets a queued spec go on. */
  release(issue: number): Promise<void>;
  /** Waits until the newest spec of an issue has a status. */
  reaches(issue: number, status: Status): Promise<SpecRow>;
  /** Puts a queued spec where its branch has a commit and it waits for its pull request; answers the branch. */
  publish(issue: number): Promise<string>;
  /** The same, with a pull request that a person opened; answers its number. */
  review(issue: number): Promise<number>;
}

/** Asked by the preflight only: without an answer a spec stays queued. */
const PREFLIGHT_ONLY = '/rules/branches/';

export async function openDesk(options: Parameters<typeof openLine>[0] = {}): Promise<Desk> {
  const line = await openLine(options);
  await liftWriteBudget(line.database.db);
  hold(line);
  let app = await line.startHere();
  const fullName = line.world.repo.fullName;
  const path = `/repos/${fullName}`;
  const { db } = line.database;
  const repository = async () => {
    const repos = Object.values((await line.github.state()).repos);
    return repos.find(({ id }) => id === line.world.repo.id)!;
  };
  const settle = () => settled(line);
  const desk: Desk = {
    ...line,
    get app() {
      return app;
    },
    async play(script) {
      await app.stop();
      const file = join(line.folder, 'next-script.json');
      await writeFile(file, JSON.stringify(script));
      app = await line.startHere({ AGENT_SCRIPT: file });
    },
    path,
    settle,
    repository,
    async openIssue(title = 'Greet people by time of day', body = 'Say good morning in the morning.') {
      return (await line.api<{ number: number }>('POST', `${path}/issues`, { title, body })).number;
    },
    async label(issue, token, label = 'spec') {
      await line.api('POST', `${path}/issues/${issue}/labels`, { labels: [label] }, token);
      await settle();
    },
    async unlabel(issue, label = 'spec') {
      await line.api('DELETE', `${path}/issues/${issue}/labels/${label}`);
      await settle();
    },
    async verdict(event, action) {
      const row = await db('deliveries').where({ event, action }).orderBy('seq', 'desc').first();
      return { state: row?.state, reason: row?.reason };
    },
    spec: (issue) => db('specs').where({ issue_number: issue }).orderBy('created_at', 'desc').first(),
    specs: (issue) => db('specs').where({ issue_number: issue }).orderBy('created_at'),
    issue: async (issue) => (await repository()).issues.find(({ number }) => number === issue)!,
    async notices(issue) {
      const { comments } = await desk.issue(issue);
      return comments.map(({ body }) => body).filter((body) => !/effect=spec\S+status -->/.test(body));
    },
    async release(issue) {
      line.github.hooks.onRequest = undefined;
      await prepareSpec(app.opened.deps, { specId: (await desk.spec(issue)).id });
    },
    async reaches(issue, status) {
      await until(async () => (await desk.spec(issue))?.status === status, 20_000);
      return desk.spec(issue);
    },
    publish: (issue) => publish(desk, issue),
    async review(issue) {
      const head = await publish(desk, issue);
      const pull = { title: 'Greet', head, base: 'main', body: `Closes #${issue}` };
      const { number } = await line.api<{ number: number }>('POST', `${path}/pulls`, pull);
      await settle();
      return number;
    },
  };
  return desk;
}

/** Keeps specs queued; a fault of the caller strikes first. */
export function hold(
  line: Line,
  fault: NonNullable<Line['github']['hooks']['onRequest']> = () => null,
): void {
  line.github.hooks.onRequest = (request) =>
    fault(request) ?? (request.path.includes(PREFLIGHT_ONLY) ? { status: 500 } : null);
}

async function settled({ github, database }: Line): Promise<void> {
  await github.idle();
  let open: string[] = [];
  await until(async () => {
    open = await openWork(database.db);
    return open.length === 0;
  }, 8000).catch(() => {
    throw new Error(`still under way: ${open.join('; ')}`);
  });
  await github.idle();
}

async function openWork(db: Line['database']['db']): Promise<string[]> {
  const { rows } = await db.raw(
    `select 'delivery ' || event || ' ' || coalesce(action, '') || ' ' || coalesce(reason, '') as what
       from deliveries where state = 'pending'
     union all select 'effect ' || effect_key || ' ' || coalesce(last_error, '') from effects where state = 'pending'
     union all select 'status of a spec that is ' || status from specs
       where status_published_version < version and hold is null
         and (ended_at is not null or status_published_at is null)`,
  );
  return (rows as { what: string }[]).map(({ what }) => what);
}

async function publish(desk: Desk, issue: number): Promise<string> {
  const { id } = await desk.spec(issue);
  const branch = `spec/${id.slice(0, 8)}-greet`;
  const base = (await desk.repository()).branches.main!;
  await desk.api('POST', `${desk.path}/git/refs`, { ref: `refs/heads/${branch}`, sha: base });
  const file = { message: 'Work', content: Buffer.from(id).toString('base64'), branch };
  await desk.api('PUT', `${desk.path}/contents/work-${issue}.txt`, file);
  const head = (await desk.repository()).branches[branch];
  await desk.database.db('specs').where({ id }).update({
    status: 'publishing',
    phase: 'publish',
    branch_name: branch,
    base_branch: 'main',
    base_sha: base,
    head_sha: head,
    checkpoint_sha: null,
  });
  return branch;
}

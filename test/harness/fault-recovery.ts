import { setTimeout as delay } from 'node:timers/promises';
import { createGitHubLimits } from '../../src/db/github-limits.ts';
import { appendSpecEvents } from '../../src/db/spec-events.ts';
import { RetryableError } from '../../src/errors.ts';
import { createGitHub, type GitHub, type GitHubOptions } from '../../src/github/client.ts';
import { type Desk, hold } from './desk.ts';
import type { NamedFault } from './faults.ts';
import type { Recovery } from './recovery.ts';
import { shiftClock } from './shift-clock.ts';
import { until } from './until.ts';

const repo = (method: string, rest = '') => `${method} /repos/{owner}/{repo}${rest}`;

/** What happened while no webhook got through, and which pass has to find it. */
export type Happening = 'refused webhook' | 'lost webhook' | 'label' | 'branch deleted' | 'pull closed';

export interface RecoverySite {
  readonly route: string;
  readonly found: Happening;
}

/** The calls of the passes that find what no webhook told, and what makes them ask it. */
export const recoverySites: readonly RecoverySite[] = [
  { route: 'GET /app/hook/deliveries', found: 'refused webhook' },
  { route: 'POST /app/hook/deliveries/{delivery_id}/attempts', found: 'refused webhook' },
  { route: 'GET /app/hook/deliveries/{delivery_id}', found: 'lost webhook' },
  { route: 'GET /app/installations', found: 'label' },
  { route: 'GET /installation/repositories', found: 'label' },
  { route: repo('GET', '/issues'), found: 'label' },
  { route: repo('GET', '/issues/{issue_number}/events'), found: 'label' },
  { route: repo('GET', '/issues/{issue_number}'), found: 'label' },
  { route: repo('GET', '/git/matching-refs/{ref}'), found: 'branch deleted' },
  { route: repo('GET', '/pulls'), found: 'pull closed' },
  { route: repo('GET', '/pulls/{pull_number}'), found: 'pull closed' },
];

/** The calls of `specwright doctor`. */
export const doctorRoutes: readonly string[] = [
  'GET /app',
  'GET /app/installations',
  'GET /app/hook/config',
  'GET /app/hook/deliveries',
];

/** Where a repository is, asked by whoever hears that it came, left or moved. */
export const placeRoute = repo('GET', '/installation');
/** An answer to a comment without words, which no command gives yet: only the call itself can be held. */
export const commentReactionRoute = repo('POST', '/issues/comments/{comment_id}/reactions');

/** Every route that these tests hold. */
export const recoveryRoutes: readonly string[] = [
  ...new Set([...recoverySites.map(({ route }) => route), ...doctorRoutes, placeRoute, commentReactionRoute]),
];

/** Lets a route go wrong while `work` is done; answers how often it did. Specs stay queued all the while. */
export async function under<T>(
  desk: Desk,
  strike: { route: string; fault: NamedFault; times: number; repositoryId?: number },
  work: (struck: () => number) => Promise<T>,
): Promise<{ got: T; struck: number }> {
  let struck = 0;
  hold(desk, (record) => {
    const ours = record.actor.kind === 'app' || record.actor.kind === 'installation';
    if (!ours || record.route !== strike.route || struck >= strike.times) return null;
    struck += 1;
    const { fault, repositoryId = desk.world.repo.id } = strike;
    return fault.of({ record, apiUrl: desk.github.apiUrl, repositoryId });
  });
  try {
    return { got: await work(() => struck), struck };
  } finally {
    hold(desk);
  }
}

/** A question is asked once more at once, so once would not be felt; a 404 is asked twice more. */
export function feltTimes(route: string, { name }: NamedFault): number {
  if (!route.startsWith('GET ')) return 1;
  return /^(50|reset|HTML|empty|timeout|404)/.test(name) ? 3 : 1;
}

/** What one pass came to: the news it brought, or that it has to be tried again. */
export type Passed = { readonly news: number; readonly again: boolean };

const SWEEPS: readonly Happening[] = ['refused webhook', 'lost webhook'];

/** One pass of the kind that finds a happening. Only what is to be tried again may be thrown. */
export async function passFor(recovery: Recovery, found: Happening): Promise<Passed> {
  try {
    if (SWEEPS.includes(found)) {
      const swept = await recovery.sweep();
      return { news: swept!.redelivered + swept!.fed, again: false };
    }
    const report = await recovery.reconcile();
    return { news: report!.facts, again: report!.failed > 0 };
  } catch (error) {
    if (!(error instanceof RetryableError)) throw error;
    return { news: 0, again: true };
  }
}

/** A client as the App makes one, which has no token yet. */
export function freshClient(desk: Desk, shared: Partial<GitHubOptions> = {}): GitHub {
  const { APP_ID: appId = '', PRIVATE_KEY: privateKey = '', GHE_HOST: host } = desk.env;
  const budget = { take: async () => ({ ok: true }) as const };
  const { clock, log } = desk.app.opened.deps;
  const own = { appId, privateKey, host, protocol: 'http', userAgent: 'specwright' };
  return createGitHub({ ...own, budget, clock, log, ...shared });
}

/**
 * Time passes for GitHub and for the App, which looks at once at what has come due. Its tokens have ended with that,
 * by GitHub's clock only, so it begins with none.
 */
export async function elapse(desk: Desk, seconds: number): Promise<void> {
  const { db } = desk.database;
  desk.github.advanceClock(seconds * 1000);
  await shiftClock(db, seconds);
  const github = freshClient(desk, { limits: createGitHubLimits(desk.app.opened.deps.db) });
  Object.assign(desk.app.opened.deps, { github });
  await db.raw(`select pg_notify('deliveries', '')`);
}

/** Waits until every webhook and delivery was dealt with; what is shown of it may be still on its way. */
export async function heard(desk: Desk): Promise<void> {
  await desk.github.idle();
  await until(async () => !(await desk.database.db('deliveries').where({ state: 'pending' }).first()));
}

const ROUND_MS = 1500;

/** Lets time pass until every delivery was dealt with: one that fails a moment later has its pause still before it. */
export async function heardInTime(desk: Desk, seconds: number): Promise<void> {
  const pending = () => desk.database.db('deliveries').where({ state: 'pending' }).select('event', 'reason');
  for (let round = 0; round < 10; round += 1) {
    await elapse(desk, seconds);
    for (const end = Date.now() + ROUND_MS; Date.now() < end; await delay(10)) {
      if ((await pending()).length === 0) return;
    }
  }
  throw new Error(`still pending: ${JSON.stringify(await pending())}`);
}

/** Ends an issue's specs, so that nothing looks at them any more. */
export async function retire(desk: Desk, issue: number): Promise<void> {
  const specs = desk.database.db('specs').where({ issue_number: issue }).whereNull('ended_at');
  await specs.update({ status: 'closed', ended_at: new Date() });
}

/** Lets something happen of which no webhook tells; answers the issue it is about, and the GUID of what was not heard. */
export async function unheard(desk: Desk, found: Happening): Promise<{ issue: number; guid: string }> {
  const { github, world, path } = desk;
  const issue = await desk.openIssue();
  await github.idle();
  const label = () => desk.api('POST', `${path}/issues/${issue}/labels`, { labels: ['spec'] });
  if (found === 'branch deleted' || found === 'pull closed') {
    await label();
    await heard(desk);
    const branch = await publishedBranch(desk, issue);
    const pull = { title: 'Greet', head: branch, base: 'main', body: `Closes #${issue}` };
    const opened =
      found === 'pull closed' ? await desk.api<{ number: number }>('POST', `${path}/pulls`, pull) : null;
    await heard(desk);
    github.hooks.beforeSend = () => 'drop';
    if (opened) await desk.api('PATCH', `${path}/pulls/${opened.number}`, { state: 'closed' });
    else await desk.api('DELETE', `${path}/git/refs/heads/${branch}`);
  } else {
    if (found === 'refused webhook') github.setWebhookUrl(world.app.id, 'http://127.0.0.1:9/nobody');
    else github.hooks.beforeSend = () => (found === 'label' ? 'drop' : 'lose');
    await label();
  }
  await github.idle();
  github.hooks.beforeSend = undefined;
  github.setWebhookUrl(world.app.id, `${desk.app.url}/api/github/webhooks`);
  return { issue, guid: github.deliveries().at(-1)!.guid };
}

/** Puts a spec where its branch is published; however long the test takes, nobody else takes that up. */
async function publishedBranch(desk: Desk, issue: number): Promise<string> {
  const { db } = desk.database;
  const updated_at = new Date('2999-01-01');
  await db('specs').where({ issue_number: issue }).update({ updated_at });
  const branch = await desk.publish(issue);
  const { id } = await desk.spec(issue);
  const made = { type: 'spec.branch_created', phase: null, attempt: 1, payload: {} };
  await db.transaction((trx) => appendSpecEvents(trx, id, [made]));
  return branch;
}

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CrashPoint } from '../../src/crash-point.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import { messageOf } from '../../src/errors.ts';
import { type Line, launchApp, openLine, quickScript } from './line.ts';
import { until } from './until.ts';
import { liftWriteBudget } from './write-budget.ts';

type Child = ReturnType<typeof launchApp>;

/** How long a process may take to die where it was told to, and a spec to get to its next phase. */
const REACHED_MS = 90_000;

/** One spec of a line whose web process lives on while its workers are killed, one after the other. */
export interface CrashRig extends Line {
  /** The number of the issue whose spec is followed. */
  readonly issue: number;
  spec(): Promise<SpecRow | undefined>;
  /** Starts a worker that dies at a point; `meanwhile` makes it come by. Fails when it does not get there. */
  workerDiesAt(point: CrashPoint, how?: Dying): Promise<void>;
  /** Kills the web process at a point that a webhook makes it come by, starts it anew and has the webhook sent again. */
  webDiesAt(point: CrashPoint, provoke: () => Promise<void>): Promise<void>;
  /** Runs a worker until something is so, and kills it from outside. */
  runUntil(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Starts a worker that stays. */
  startWorker(): Promise<void>;
  /** What was passed by since the last call. */
  takeTrace(): CrashPoint[];
  /** Somebody who may not asks for a spec on an issue of their own: a delivery, a decision and two effects. */
  provoke(): Promise<void>;
}

export interface Dying {
  /** The agent never comes to an end, so the phase cannot move on. */
  readonly hang?: boolean;
  /** Done once the worker was started. */
  readonly meanwhile?: (worker: Child) => Promise<void>;
}

/** Opens a line with a web process and a request that nobody has worked on yet. */
export async function openCrashRig(): Promise<CrashRig> {
  const line = await openLine();
  await liftWriteBudget(line.database.db);
  const folder = join(line.folder, 'crash');
  await mkdir(folder);
  const scripts = await writeScripts(line.folder);
  const warm = warmStarts(line.folder);
  const children = new Set<Child>();
  const launch = (env: Record<string, string>): Child => {
    const child = launchApp({ ...line.env, ...warm, CRASH_POINTS: folder, ...env }, line.logFile);
    children.add(child);
    void child.exited.then(() => children.delete(child));
    return child;
  };
  const worker = (hang = false) =>
    launch({ ROLE: 'worker', AGENT_SCRIPT: hang ? scripts.hang : scripts.quick });
  const startWeb = async (): Promise<Child> => {
    const web = launch({ ROLE: 'web', AGENT_SCRIPT: scripts.quick });
    line.github.setWebhookUrl(line.world.app.id, `${await web.ready}/api/github/webhooks`);
    return web;
  };
  const arm = (point: CrashPoint) => writeFileSync(join(folder, 'armed'), point);
  const diesAt = async (child: Child, point: CrashPoint): Promise<void> => {
    await within(child.exited, () => `${point} was not reached in ${REACHED_MS} ms`);
    const { code, signal } = await child.exited;
    if (signal !== 'SIGKILL') throw new Error(`the process did not die at ${point}: ${signal ?? code}`);
    // The emulated GitHub answers what the dead process had sent.
    await line.github.state();
  };
  await allowSlowCheck(line);
  let web = await startWeb();
  const issue = await line.request();
  await line.github.idle();
  let strangers = 0;
  return {
    ...line,
    issue,
    spec: () => line.database.db('specs').where({ issue_number: issue }).first(),
    async workerDiesAt(point, { hang, meanwhile } = {}) {
      arm(point);
      const child = worker(hang);
      try {
        if (meanwhile) await Promise.race([child.exited, meanwhile(child)]);
        await diesAt(child, point);
      } catch (error) {
        throw new Error(`at ${point}: ${messageOf(error)}\n${lastLines(line.logFile)}`, { cause: error });
      } finally {
        child.kill('SIGKILL');
        rmSync(join(folder, 'armed'), { force: true });
      }
    },
    async webDiesAt(point, provoke) {
      arm(point);
      await provoke();
      await diesAt(web, point);
      web = await startWeb();
      for (const guid of lostWebhooks(line)) await line.github.redeliver(guid);
    },
    async runUntil(condition) {
      const child = worker();
      try {
        await until(condition, REACHED_MS);
      } finally {
        child.kill('SIGKILL');
        await child.exited;
        await line.github.state();
      }
    },
    async startWorker() {
      await worker().ready;
    },
    takeTrace() {
      const file = join(folder, 'trace');
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, '');
      const names = text.split('\n').flatMap((row) => row.split(' ')[1] ?? []);
      return [...new Set(names)] as CrashPoint[];
    },
    async provoke() {
      strangers += 1;
      const { login, token } = line.github.createUser({ login: `passer-by-${strangers}` });
      const repo = line.world.repo.fullName;
      line.github.addCollaborator({ repo, login, permission: 'triage' });
      const asked = await line.api<{ number: number }>('POST', `/repos/${repo}/issues`, { title: 'Me too' });
      await line.github.idle();
      const labels = `/repos/${repo}/issues/${asked.number}/labels`;
      await line.api('POST', labels, { labels: ['spec'] }, token);
      await line.github.idle();
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all([...children].map((child) => child.exited));
      await line.close();
    },
  };
}

/**
 * Lets Node keep what it compiled, so that a start costs half. A process that is killed keeps nothing, so one that
 * ends by itself compiles it all before.
 */
export function warmStarts(folder: string): Record<string, string> {
  const env = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const main = new URL('../../src/main.ts', import.meta.url).href;
  const argv = ['--input-type=module', '--eval', `await import(${JSON.stringify(main)})`];
  execFileSync(process.execPath, argv, { env: { PATH: process.env.PATH ?? '', ...env } });
  return env;
}

/** What GitHub shows as failed and nobody has sent again. */
export function lostWebhooks({ github }: Line): Set<string> {
  const arrived = new Set(
    github.deliveries().flatMap(({ outcome, guid }) => (outcome === 'delivered' ? guid : [])),
  );
  return new Set(github.deliveries().flatMap(({ guid }) => (arrived.has(guid) ? [] : guid)));
}

async function writeScripts(folder: string): Promise<{ quick: string; hang: string }> {
  const quick = quickScript();
  const hanging = (plays: object) =>
    Object.fromEntries(Object.keys(plays).map((name) => [name, { hang: true }]));
  const hang = { phases: hanging(quick.phases), tasks: hanging(quick.tasks) };
  const files = { quick: join(folder, 'quick.json'), hang: join(folder, 'hang.json') };
  await writeFile(files.quick, JSON.stringify(quick));
  await writeFile(files.hang, JSON.stringify(hang));
  return files;
}

/** The repository's own check takes so long that a worker can be killed during it. */
async function allowSlowCheck(line: Line): Promise<void> {
  const content = Buffer.from('verify: sleep 2\n').toString('base64');
  const path = `/repos/${line.world.repo.fullName}/contents/.github/specwright.yml`;
  await line.api('PUT', path, { message: 'ci: check specs', content });
}

/** @throws when it takes too long */
async function within(done: Promise<unknown>, what: () => string): Promise<void> {
  const stop = new AbortController();
  const late = delay(REACHED_MS, null, { signal: stop.signal }).then(
    () => Promise.reject(new Error(what())),
    () => {},
  );
  await Promise.race([done, late]).finally(() => stop.abort());
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
}

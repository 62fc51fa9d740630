import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Script } from '../../src/agent/script.ts';
import { loadConfig, secretsOf } from '../../src/config.ts';
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts';
import { type DemoWorld, seedDemo } from '../../src/emulator/seed.ts';
import { createLogger } from '../../src/log.ts';
import { type Running, startProcess } from '../../src/main.ts';
import { demoScript } from './artifacts.ts';
import { watchConformance } from './conformance.ts';
import { type FreshDatabase, freshDatabase } from './database.ts';
import { startCommand } from './start-command.ts';

/** An emulated GitHub, a database of its own and the environment for App processes; nothing runs yet. */
export interface Line {
  readonly github: Emulator;
  readonly world: DemoWorld;
  readonly database: FreshDatabase;
  readonly folder: string;
  readonly logFile: string;
  readonly webhookSecret: string;
  /** The environment of an App process; `PORT` is 0. */
  readonly env: Readonly<Record<string, string>>;
  /** Starts the App in this process and points the webhooks at it. */
  startHere(env?: Record<string, string>): Promise<Running>;
  /** Starts the App as a process of its own and points the webhooks at it (unless it is only a worker). */
  startChild(env?: Record<string, string>): Promise<ChildApp>;
  /** A call to the emulated GitHub's REST API as the maintainer, or with another token. */
  api<T = Record<string, unknown>>(method: string, path: string, body?: object, token?: string): Promise<T>;
  /** Opens an issue and labels it; answers its number. */
  request(title?: string, body?: string): Promise<number>;
  /** Closes everything, whatever still runs. @throws Error when anything did not keep to GitHub's own description. */
  close(): Promise<void>;
}

export interface ChildApp {
  readonly pid: number;
  readonly url: string;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** The demo's script without its pauses, or with one of `delayMs` milliseconds in each run of the agent. */
export function quickScript(delayMs = 0): Script {
  const script = demoScript() as unknown as { phases: Record<string, object>; tasks: Record<string, object> };
  const quick = (plays: Record<string, object>) =>
    Object.fromEntries(Object.entries(plays).map(([name, play]) => [name, { ...play, delayMs, say: [] }]));
  return { phases: quick(script.phases), tasks: quick(script.tasks) };
}

export async function openLine(
  options: { script?: Script; env?: Record<string, string> } = {},
): Promise<Line> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-line-'));
  const scriptFile = join(folder, 'script.json');
  await writeFile(scriptFile, JSON.stringify(options.script ?? quickScript()));
  const webhookSecret = randomBytes(32).toString('hex');
  const [github, database] = await Promise.all([startEmulator(), freshDatabase()]);
  const conformance = watchConformance(github, { app: 'always' });
  const world = await seedDemo(github, { webhookSecret });
  const logFile = join(folder, 'app.log');
  const env = {
    APP_ID: String(world.app.id),
    PRIVATE_KEY: world.app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    PORT: '0',
    DATABASE_URL: database.url,
    DATA_DIR: folder,
    GHE_HOST: new URL(github.url).host,
    GHE_PROTOCOL: 'http',
    LOG_LEVEL: 'debug',
    // Tests that are about the places of an installation set them.
    SPECS_AT_ONCE: '1000',
    AGENT: 'scripted',
    AGENT_SCRIPT: scriptFile,
    STATUS_INTERVAL_SECONDS: '1',
    // Passes over everything at their own times: tests that are about them begin them.
    DELIVERY_SWEEP_MINUTES: '0',
    RECONCILE_MINUTES: '0',
    ...options.env,
  };
  const running = new Set<{ stop(): Promise<unknown> }>();
  const point = (url: string) => github.setWebhookUrl(world.app.id, `${url}/api/github/webhooks`);
  const api = makeApi(github, world);
  return {
    github,
    world,
    database,
    folder,
    logFile,
    webhookSecret,
    env,
    api,
    async startHere(more = {}) {
      const app = await startInProcess({ ...env, ...more }, logFile);
      running.add(app);
      point(app.url);
      return { ...app, stop: () => (running.delete(app) ? app.stop() : Promise.resolve()) };
    },
    async startChild(more = {}) {
      const child = launchApp({ ...env, ...more }, logFile);
      // Before it is ready, so that it goes with the line whatever becomes of its start.
      running.add({
        stop: () => {
          child.kill('SIGKILL');
          return child.exited;
        },
      });
      const url = await child.ready;
      if (more.ROLE !== 'worker') point(url);
      return { ...child, url };
    },
    async request(title = 'Greet people by time of day', body = 'Say good morning in the morning.') {
      const repo = `/repos/${world.repo.fullName}`;
      const issue = await api<{ number: number }>('POST', `${repo}/issues`, { title, body });
      await api('POST', `${repo}/issues/${issue.number}/labels`, { labels: ['spec'] });
      return issue.number;
    },
    async close() {
      await Promise.all([...running].map((one) => one.stop()));
      await github.close();
      await database.drop();
      await rm(folder, { recursive: true, force: true });
      conformance.assert();
    },
  };
}

function makeApi(github: Emulator, world: DemoWorld): Line['api'] {
  return async (method, path, body, token = world.people.maintainer.token) => {
    const response = await fetch(`${github.apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? {} : JSON.parse(text);
  };
}

async function startInProcess(env: Record<string, string>, logFile: string): Promise<Running> {
  const read = loadConfig(env);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const destination = pino.destination({ dest: logFile, sync: true });
  const log = createLogger({ level: 'debug', secrets: secretsOf(read.config), destination });
  return startProcess(read.config, { log });
}

const START_MS = 60_000;

/** Starts the App as a process of its own; `ready` fails when it ends before it listens. */
export function launchApp(
  env: Readonly<Record<string, string>>,
  logFile: string,
): Omit<ChildApp, 'url'> & { readonly ready: Promise<string> } {
  const child = spawn(process.execPath, startCommand(), {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  const ready = readyUrl(child, (text) => appendFileSync(logFile, text));
  // Who waits for a death need not wait for the start.
  ready.catch(() => {});
  return { pid: child.pid!, ready, kill: (signal) => void child.kill(signal), exited };
}

/** Reads the log of a process until it says where it listens. */
function readyUrl(child: ChildProcess, keep: (text: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let head = '';
    const timer = setTimeout(() => reject(new Error(`not ready after ${START_MS} ms: ${head}`)), START_MS);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${head}`)));
    child.stderr!.on('data', (chunk: Buffer) => {
      keep(chunk.toString());
      if (head === 'done') return;
      head += chunk.toString();
      const ready = /"url":"([^"]+)"[^\n]*Specwright is ready/.exec(head);
      if (!ready) return;
      head = 'done';
      clearTimeout(timer);
      resolve(ready[1]!);
    });
  });
}

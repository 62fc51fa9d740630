import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import type { Script } from '../../src/agent/script.ts';
import {
  GATEWAY_PREFIX,
  type GatewayBackend,
  type PushEnd,
  type PushIntent,
  type SandboxIdentity,
} from '../../src/http/gateway/backend.ts';
import { gateway } from '../../src/http/gateway/plugin.ts';
import { serveOnSocket } from '../../src/http/gateway/socket.ts';
import type {
  EventAck,
  NextStep,
  RunEvent,
  RunnerConfig,
  Step,
  StepResult,
} from '../../src/runner/protocol.ts';
import { bundleRunner } from '../../src/services/sandboxes/bundle.ts';
import { type GitServer, startGitServer } from './git-server.ts';
import { until } from './until.ts';

export const REPOSITORY = 'acme/shop';
export const CHECKPOINT = 'refs/specwright/0123abcd';
export const HOST_TOKEN = 'Basic eC1hY2Nlc3MtdG9rZW46Z2hzX2NhbmFyeV90b2tlbg==';

/** What the gateway's backend remembers; tests read it and set what it answers. */
export interface Ledger {
  generation: number;
  steps: Step[];
  /** Answered when no step is left. */
  idle: NextStep;
  results: { stepId: string; result: StepResult }[];
  events: RunEvent[];
  batches: number;
  messages: EventAck['messages'];
  pushes: (PushIntent & { id: string; state: PushEnd | 'intended' })[];
  recordedSha: string | null;
  refusePush: string | null;
}

export interface Rig {
  readonly root: string;
  readonly git: GitServer;
  readonly app: FastifyInstance;
  readonly ledger: Ledger;
  readonly identity: SandboxIdentity;
  readonly socketPath: string;
  readonly bare: string;
  readonly baseSha: string;
  readonly config: RunnerConfig;
  /** Wraps the backend; for faults. */
  backend: GatewayBackend;
  run(options?: { script?: Script; config?: Partial<RunnerConfig> }): RunningRunner;
  resultOf(stepId: string): Promise<StepResult>;
  close(): Promise<void>;
}

export interface RunningRunner {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  stderr(): string;
}

/** Made once a test file. */
let bundle: ReturnType<typeof bundleRunner> | undefined;

/** Runs git on this machine for a test's own needs. */
export function gitIn(folder: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** A real gateway on a real socket before a real git host; only what is behind the backend is kept in memory. */
export async function startRig(options: { packBytes?: number } = {}): Promise<Rig> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'swg-')));
  const bare = join(root, 'host', `${REPOSITORY}.git`);
  const baseSha = seedRepository(bare, join(root, 'first'));
  const git = await startGitServer(join(root, 'host'), HOST_TOKEN);
  const identity = { sandboxId: randomUUID(), specId: randomUUID(), generation: 1 };
  const ledger: Ledger = {
    generation: 1,
    steps: [],
    idle: { next: 'wait', waitMs: 20 },
    results: [],
    events: [],
    batches: 0,
    messages: [],
    pushes: [],
    recordedSha: null,
    refusePush: null,
  };
  const real = memoryBackend(ledger, { identity, gitUrl: `${git.url}/${REPOSITORY}.git` });
  const rig = { backend: real } as { -readonly [K in keyof Rig]: Rig[K] };
  const app = fastify();
  const late = new Proxy(real, { get: (_, name) => rig.backend[name as keyof GatewayBackend] });
  await app.register(gateway(late, options), { prefix: GATEWAY_PREFIX });
  app.get('/private', async () => 'not for sandboxes');
  await app.ready();
  const socketPath = join(root, 'gw.sock');
  const socket = await serveOnSocket(app, late, { socketPath, sandboxId: identity.sandboxId });
  const tools = join(root, 'tools');
  mkdirSync(tools);
  bundle ??= bundleRunner();
  for (const [name, text] of Object.entries(await bundle)) writeFileSync(join(tools, name), text);
  mkdirSync(join(root, 'home'));
  const config: RunnerConfig = {
    gateway: { kind: 'socket', path: socketPath },
    sandboxId: identity.sandboxId,
    generation: 1,
    repository: REPOSITORY,
    startSha: baseSha,
    startRef: 'refs/heads/main',
    workspace: join(root, 'workspace'),
    home: join(root, 'home'),
    tools,
    node: process.execPath,
    heartbeatMs: 30_000,
    environment: {
      SPEC_ID: identity.specId,
      SPEC_TITLE: 'Add a greeting',
      PROJECT_ID: '42',
      USER_ID: '7',
      SANDBOX_ID: identity.sandboxId,
      SANDBOX_GENERATION: '1',
      GITHUB_REPO: REPOSITORY,
      GITHUB_REPO_OWNER: 'acme',
      GITHUB_USERNAME: 'specwright[bot]',
    },
  };
  const running: RunningRunner[] = [];
  return Object.assign(rig, {
    root,
    git,
    app,
    ledger,
    identity,
    socketPath,
    bare,
    baseSha,
    config,
    run(how: { script?: Script; config?: Partial<RunnerConfig> } = {}) {
      writeFileSync(join(tools, 'script.json'), JSON.stringify(how.script ?? { phases: {}, tasks: {} }));
      writeFileSync(join(tools, 'runner.json'), JSON.stringify({ ...config, ...how.config }));
      const runner = startRunner(tools);
      running.push(runner);
      return runner;
    },
    async resultOf(stepId: string) {
      await until(() => ledger.results.some((found) => found.stepId === stepId));
      return ledger.results.find((found) => found.stepId === stepId)!.result;
    },
    async close() {
      for (const runner of running) {
        runner.process.kill('SIGKILL');
        await runner.exited;
      }
      await socket.close();
      await app.close();
      await git.close();
      rmSync(root, { recursive: true, force: true });
    },
  });
}

function seedRepository(bare: string, work: string): string {
  mkdirSync(bare, { recursive: true });
  gitIn(bare, 'init', '--quiet', '--bare', '--initial-branch=main');
  appendFileSync(
    join(bare, 'config'),
    '[http]\nreceivepack=true\n[uploadpack]\nallowFilter=true\n[receive]\nadvertisePushOptions=true\n[gc]\nauto=0\n',
  );
  mkdirSync(work);
  gitIn(work, 'init', '--quiet', '--initial-branch=main');
  writeFileSync(join(work, 'README.md'), '# Shop\n');
  writeFileSync(join(work, '.gitignore'), 'ignored/\nnode_modules/\n');
  gitIn(work, 'add', '-A');
  gitIn(work, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.com', 'commit', '--quiet', '-m', 'first');
  gitIn(work, 'push', '--quiet', bare, 'HEAD:refs/heads/main');
  return gitIn(work, 'rev-parse', 'HEAD');
}

const noModels = { kind: 'refused', why: 'credential', text: 'this rig has no models' } as const;

function memoryBackend(
  ledger: Ledger,
  { identity, gitUrl }: { identity: SandboxIdentity; gitUrl: string },
): GatewayBackend {
  return {
    async identify(by, generation) {
      const known =
        'sandboxId' in by ? by.sandboxId === identity.sandboxId : by.bearer === 'bearer-of-this-run';
      if (!known) return { kind: 'unknown' };
      return generation === ledger.generation ? { kind: 'ok', identity } : { kind: 'stale' };
    },
    async nextStep() {
      const step = ledger.steps.find(({ stepId }) => !ledger.results.some((done) => done.stepId === stepId));
      return step ? { next: 'step', step } : ledger.idle;
    },
    async stepResult(_, stepId, result) {
      if (ledger.results.some((done) => done.stepId === stepId)) return 'already';
      if (!ledger.steps.some((step) => step.stepId === stepId)) return 'not_open';
      ledger.results.push({ stepId, result });
      return 'accepted';
    },
    async ingest(_, { events }) {
      ledger.batches += 1;
      for (const event of events) {
        if (event.seq === ledger.events.length + 1) ledger.events.push(event);
        if (event.type === 'message.received') {
          ledger.messages = ledger.messages.filter(({ id }) => id !== event.data.id);
        }
      }
      return { acked: ledger.events.length, messages: ledger.messages };
    },
    egress: { judge: async () => ({ allowed: false }), noteRefused: async () => {} },
    models: {
      targetFor: async () => noModels,
      open: async () => noModels,
      settle: async () => {},
    },
    git: {
      async repositoryFor() {
        return { gitUrl, fullName: REPOSITORY, checkpointRef: CHECKPOINT, recordedSha: ledger.recordedSha };
      },
      authorization: async () => HOST_TOKEN,
      async intend(_, push) {
        if (ledger.refusePush !== null) return { refused: ledger.refusePush };
        const id = randomUUID();
        ledger.pushes.push({ ...push, id, state: 'intended' });
        return { id };
      },
      async settle(id, state) {
        const push = ledger.pushes.find((found) => found.id === id)!;
        push.state = state;
        if (state === 'accepted') ledger.recordedSha = push.newSha;
      },
    },
  };
}

function startRunner(tools: string): RunningRunner {
  // Variables of the outer process that must not reach a child of the runner.
  const env = {
    GITHUB_TOKEN: 'canary',
    ANTHROPIC_API_KEY: 'canary',
    CLAUDE_CODE_OAUTH_TOKEN: 'canary',
    OUTER: 'x',
  };
  const child = spawn(process.execPath, [join(tools, 'runner.mjs'), join(tools, 'runner.json')], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return { process: child, exited, stderr: () => stderr };
}

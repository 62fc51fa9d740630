import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CHECKPOINT, gitIn, HOST_TOKEN, type Rig, startRig } from '../harness/gateway-rig.ts';
import { proxyVariables } from '../harness/proxy-variables.ts';
import { agentStep, commandStep, commitStep, pushStep } from '../harness/steps.ts';
import { until } from '../harness/until.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.close());

test('a task goes from clone over the agent and one commit to the hidden ref of the host', async () => {
  const work = agentStep();
  const commit = commitStep({ files: [{ path: 'ignored/spec.md', content: '# Spec\n' }] });
  rig.ledger.steps.push(work, commit);
  const runner = rig.run({
    script: {
      phases: {},
      tasks: { 'TSK-001': { say: ['On it.'], edits: [{ path: 'src/hello.txt', content: 'hello\n' }] } },
    },
  });
  expect(await rig.resultOf(work.stepId)).toEqual({
    kind: 'agent',
    outcome: 'done',
    output: null,
    reason: null,
  });
  const committed = await rig.resultOf(commit.stepId);
  if (committed.kind !== 'commit') throw new Error(JSON.stringify(committed));
  expect(committed.empty).toBe(false);
  const push = pushStep(committed.sha);
  rig.ledger.steps.push(push);
  expect(await rig.resultOf(push.stepId)).toEqual({ kind: 'push', outcome: 'pushed', message: '' });
  rig.ledger.idle = { next: 'stop', reason: 'done' };
  expect(await runner.exited).toBe(0);

  expect(gitIn(rig.bare, 'rev-parse', CHECKPOINT)).toBe(committed.sha);
  expect(gitIn(rig.bare, 'log', '--format=%an <%ae> %cn|%P|%s', '-1', CHECKPOINT)).toBe(
    `specwright[bot] <1+specwright[bot]@users.noreply.github.com> specwright[bot]|${rig.baseSha}|feat: greet`,
  );
  expect(gitIn(rig.bare, 'log', '--format=%(trailers:key=Task,valueonly)', '-1', CHECKPOINT)).toBe('TSK-001');
  expect(gitIn(rig.bare, 'diff', '--name-only', rig.baseSha, CHECKPOINT).split('\n')).toEqual([
    'ignored/spec.md',
    'src/hello.txt',
  ]);
  expect(rig.ledger.pushes).toMatchObject([{ ref: CHECKPOINT, newSha: committed.sha, state: 'accepted' }]);
  const types = rig.ledger.events.map(({ type }) => type);
  expect(types[0]).toBe('runner.started');
  expect(types[1]).toBe('command.started');
  expect(types).toContain('clone.done');
  expect(types.at(-1)).toBe('runner.stopped');
  expect(rig.ledger.events.find(({ type }) => type === 'agent.text')).toMatchObject({
    stepId: work.stepId,
    data: { text: 'On it.' },
  });
  expect(rig.git.seen.every(({ authorization }) => authorization === HOST_TOKEN)).toBe(true);
  const local = ['.git/config', 'README.md'].map((path) =>
    readFileSync(join(rig.config.workspace, path), 'utf8'),
  );
  const config = readFileSync(join(rig.config.home, '.gitconfig'), 'utf8');
  expect([...local, config].join('')).not.toContain('ghs_canary');
  expect(local[0]).toContain('partialclonefilter = blob:none');
});

test('the environment of a run is exactly the documented one', async () => {
  const step = commandStep(['env'], { phase: 'verify' });
  rig.ledger.steps.push(step);
  rig.run();
  const result = await rig.resultOf(step.stepId);
  if (result.kind !== 'command') throw new Error(JSON.stringify(result));
  const seen = Object.fromEntries(
    result.outputTail
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  expect(seen).toEqual({
    ...rig.config.environment,
    SPEC_PHASE: 'verify',
    GATEWAY_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    ...proxyVariables,
    HOME: rig.config.home,
    PATH: expect.stringMatching(/^\/.*:\/usr\/local\/bin:\/usr\/bin:\/bin$/),
    LANG: 'C.UTF-8',
  });
});

test('commits of the agent, a forgotten branch and a half-done merge are folded into the one commit', async () => {
  const mess = commandStep([
    'sh',
    '-ec',
    `git checkout -q -b own; echo one > a.txt; git add .; git commit -qm one
     git checkout -q -b side HEAD~1; echo two > a.txt; git add .; git commit -qm two
     git merge own || true; echo three > a.txt; touch .git/index.lock`,
  ]);
  const commit = commitStep();
  rig.ledger.steps.push(mess, commit);
  rig.run();
  expect(await rig.resultOf(mess.stepId)).toMatchObject({ code: 0 });
  const result = await rig.resultOf(commit.stepId);
  expect(result).toMatchObject({ kind: 'commit', empty: false });
  const { workspace } = rig.config;
  expect(gitIn(workspace, 'log', '--format=%s|%P', '-1')).toBe(`feat: greet|${rig.baseSha}`);
  expect(gitIn(workspace, 'symbolic-ref', 'HEAD')).toBe('refs/heads/specwright');
  expect(gitIn(workspace, 'show', 'HEAD:a.txt')).toBe('three');
  expect(gitIn(workspace, 'status', '--porcelain')).toBe('');
});

test('nothing to commit leaves HEAD where it was', async () => {
  const commit = commitStep();
  rig.ledger.steps.push(commit);
  rig.run();
  expect(await rig.resultOf(commit.stepId)).toEqual({ kind: 'commit', sha: rig.baseSha, empty: true });
});

test("a file of ours does not follow the agent's link out of the work tree", async () => {
  const lay = commandStep(['sh', '-ec', 'ln -s "$HOME" specs; mkdir b.md; touch b.md/x']);
  const commit = commitStep({
    files: [
      { path: 'specs/a.md', content: 'a' },
      { path: 'b.md', content: 'b' },
    ],
  });
  rig.ledger.steps.push(lay, commit);
  rig.run();
  expect(await rig.resultOf(commit.stepId)).toMatchObject({ empty: false });
  expect(gitIn(rig.config.workspace, 'ls-tree', '-r', '--name-only', 'HEAD').split('\n')).toEqual([
    '.gitignore',
    'README.md',
    'b.md',
    'specs/a.md',
  ]);
});

test('a new attempt starts from the last commit and keeps installed packages', async () => {
  const mess = commandStep([
    'sh',
    '-ec',
    'echo x >> README.md; mkdir -p node_modules/p junk ignored; touch node_modules/p/i.js junk/a ignored/b; git init -q junk/nested',
  ]);
  const work = agentStep({ attempt: 2, resetFirst: true });
  const list = commandStep(['sh', '-c', 'git status --porcelain --ignored; cat said.txt']);
  rig.ledger.steps.push(mess, work, list);
  rig.run({
    script: {
      phases: {},
      tasks: {
        'TSK-001': [{ fail: 'first attempt' }, { edits: [{ path: 'said.txt', content: 'second' }] }],
      },
    },
  });
  expect(await rig.resultOf(work.stepId)).toMatchObject({ outcome: 'done' });
  const listed = await rig.resultOf(list.stepId);
  expect(listed).toMatchObject({ outputTail: '?? said.txt\n!! node_modules/\nsecond' });
});

test('a step that runs out of time is ended with its whole process group', async () => {
  const slow = commandStep(['sh', '-c', 'sleep 300 & echo $!; echo started; sleep 300'], { timeoutMs: 300 });
  rig.ledger.steps.push(slow);
  rig.run();
  const result = await rig.resultOf(slow.stepId);
  if (result.kind !== 'command') throw new Error(JSON.stringify(result));
  expect(result).toMatchObject({ timedOut: true, code: 143 });
  await until(() => !isAlive(Number.parseInt(result.outputTail, 10)));
});

test('a missing program is a result and does not end the runner', async () => {
  const missing = commandStep(['no-such-program']);
  const after = commandStep(['true']);
  rig.ledger.steps.push(missing, after);
  rig.run();
  expect(await rig.resultOf(missing.stepId)).toMatchObject({ kind: 'command', code: 127 });
  expect(await rig.resultOf(after.stepId)).toMatchObject({ kind: 'command', code: 0 });
});

test('heartbeats keep coming while an agent hangs, and an interrupt ends it', async () => {
  const hanging = agentStep();
  const after = commandStep(['true']);
  rig.ledger.steps.push(hanging, after);
  rig.run({ script: { phases: {}, tasks: { 'TSK-001': { hang: true } } }, config: { heartbeatMs: 50 } });
  await until(() =>
    rig.ledger.events.some(({ type, data }) => type === 'command.started' && data.argv0 === 'node'),
  );
  const before = rig.ledger.events.length;
  await until(() => rig.ledger.events.slice(before).filter(({ type }) => type === 'heartbeat').length >= 3);
  expect(rig.ledger.results).toEqual([]);
  rig.ledger.messages = [{ id: 'a1d5a2f0-53d1-4c0e-8b7e-0c7e6b1f2a3b', kind: 'interrupt', text: '' }];
  expect(await rig.resultOf(hanging.stepId)).toMatchObject({ outcome: 'failed', reason: 'interrupted' });
  expect(await rig.resultOf(after.stepId)).toMatchObject({ code: 0 });
  await until(() => rig.ledger.messages.length === 0);
});

test('a message waits for an agent, reaches its folder and is acknowledged once it is there', async () => {
  const id = 'a1d5a2f0-53d1-4c0e-8b7e-0c7e6b1f2a3b';
  rig.ledger.messages = [{ id, kind: 'message', text: 'Use tabs.' }];
  rig.run({ script: { phases: {}, tasks: { 'TSK-001': { hang: true } } }, config: { heartbeatMs: 50 } });
  await until(() => rig.ledger.events.filter(({ type }) => type === 'heartbeat').length >= 2);
  expect(rig.ledger.messages).toHaveLength(1);
  const hanging = agentStep();
  rig.ledger.steps.push(hanging);
  await until(() => rig.ledger.messages.length === 0);
  const file = join(rig.config.home, 'runs', hanging.stepId, `message-${id}.txt`);
  expect(readFileSync(file, 'utf8')).toBe('Use tabs.');
});

test('SIGTERM ends the children and leaves the last events behind', async () => {
  const hanging = commandStep(['sh', '-c', 'echo $$ > pid; sleep 300']);
  rig.ledger.steps.push(hanging);
  const runner = rig.run();
  let pid = 0;
  await until(() => {
    pid = Number(readIfThere(join(rig.config.workspace, 'pid')));
    return pid > 0;
  });
  runner.process.kill('SIGTERM');
  expect(await runner.exited).toBe(0);
  await until(() => !isAlive(pid));
  expect(rig.ledger.events.at(-1)).toMatchObject({ type: 'runner.stopped', data: { reason: 'SIGTERM' } });
  expect(rig.ledger.results).toEqual([]);
});

test('a runner whose clone can never work answers its step and ends', async () => {
  const step = commandStep(['true']);
  rig.ledger.steps.push(step);
  const runner = rig.run({ config: { repository: 'acme/other' } });
  expect(await rig.resultOf(step.stepId)).toEqual({
    kind: 'broken',
    reason: expect.stringContaining('this sandbox reaches its own repository only'),
  });
  expect(await runner.exited).toBe(1);
});

test('a wrong configuration names the field and exits with 78', async () => {
  const runner = rig.run({ config: { generation: 0 } });
  expect(await runner.exited).toBe(78);
  expect(runner.stderr()).toContain('"generation"');
});

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody has collected yet is as good as gone.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

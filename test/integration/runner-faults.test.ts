import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RetryableError } from '../../src/errors.ts';
import type { Caller } from '../../src/http/gateway/backend.ts';
import { eventBatchSchema, stepResultSchema } from '../../src/runner/protocol.ts';
import { ingestEvents } from '../../src/services/events/ingest.ts';
import { freshDatabase } from '../harness/database.ts';
import { type Rig, startRig } from '../harness/gateway-rig.ts';
import { insertSandboxRows } from '../harness/sandbox-rows.ts';
import { agentStep, commandStep, commitStep, pushStep } from '../harness/steps.ts';
import { until } from '../harness/until.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
});
afterEach(() => rig.close());

test('events whose acknowledgement was lost are sent again and stored once, in order', async () => {
  const database = await freshDatabase();
  await insertSandboxRows(database.db, rig.identity);
  const { ingest } = rig.backend;
  let lost = 2;
  rig.backend = {
    ...rig.backend,
    async ingest(identity, batch) {
      await ingest(identity, batch);
      const ack = await ingestEvents(database.db, identity, batch);
      lost -= 1;
      if (lost >= 0) throw new Error('the answer is lost');
      return ack;
    },
  };
  const step = commandStep(['true']);
  rig.ledger.steps.push(step);
  const runner = rig.run();
  await rig.resultOf(step.stepId);
  rig.ledger.idle = { next: 'stop', reason: 'done' };
  expect(await runner.exited).toBe(0);
  const rows = await database.db('run_events').where({ sandbox_id: rig.identity.sandboxId }).orderBy('seq');
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, at) => at + 1));
  const types = rows.map(({ type }) => type);
  expect(types.filter((type) => type === 'runner.started')).toHaveLength(1);
  expect(types.at(-1)).toBe('runner.stopped');
  expect(eventBatchSchema.safeParse({ events: rig.ledger.events })).toMatchObject({ success: true });
  await database.drop();
});

test('a result whose answer was lost is sent again until the gateway has it', async () => {
  const { stepResult } = rig.backend;
  const answers: string[] = [];
  rig.backend = {
    ...rig.backend,
    async stepResult(identity, stepId, result) {
      expect(stepResultSchema.safeParse(result).success).toBe(true);
      const answer = await stepResult(identity, stepId, result);
      answers.push(answer);
      if (answers.length < 3) throw new RetryableError('busy');
      return answer;
    },
  };
  const [first, second] = [commandStep(['true']), commandStep(['true'])];
  rig.ledger.steps.push(first, second);
  rig.run();
  await rig.resultOf(second.stepId);
  expect(answers.slice(0, 3)).toEqual(['accepted', 'already', 'already']);
  expect(rig.ledger.results.map(({ stepId }) => stepId)).toEqual([first.stepId, second.stepId]);
});

test('a result for a step that was closed meanwhile is dropped and the next step is done', async () => {
  const gone = commandStep(['true']);
  const next = commandStep(['true']);
  const { nextStep } = rig.backend;
  let asked = 0;
  rig.backend = {
    ...rig.backend,
    async nextStep(identity) {
      asked += 1;
      return asked === 1 ? { next: 'step', step: gone } : nextStep(identity);
    },
  };
  rig.ledger.steps.push(next);
  rig.run();
  expect(await rig.resultOf(next.stepId)).toMatchObject({ code: 0 });
  expect(rig.ledger.results).toHaveLength(1);
});

test('a replaced runner kills what it runs, answers nothing and ends', async () => {
  const hanging = commandStep(['sh', '-c', 'echo $$ > pid; sleep 300']);
  rig.ledger.steps.push(hanging);
  const runner = rig.run({ config: { heartbeatMs: 50 } });
  let pid = '';
  await until(() => {
    pid = read(join(rig.config.workspace, 'pid')).trim();
    return pid !== '';
  });
  rig.ledger.generation = 2;
  expect(await runner.exited).toBe(0);
  await until(() => read(`/proc/${pid}/status`) === '' || /State:\s+Z/.test(read(`/proc/${pid}/status`)));
  expect(rig.ledger.results).toEqual([]);
});

test('a stale runner does not even begin', async () => {
  rig.ledger.generation = 2;
  const runner = rig.run();
  expect(await runner.exited).toBe(0);
  expect(rig.ledger.events).toEqual([]);
});

test('over the public server a bearer identifies the run and no child needs it', async () => {
  await rig.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = rig.app.server.address() as AddressInfo;
  const callers: Caller[] = [];
  const { identify } = rig.backend;
  rig.backend = {
    ...rig.backend,
    identify(by, generation) {
      callers.push(by);
      return identify(by, generation);
    },
  };
  const seen = commandStep([
    'sh',
    '-c',
    'env; cat "$HOME/.gitconfig" .git/config; git ls-remote origin; echo x > x',
  ]);
  const commit = commitStep();
  rig.ledger.steps.push(seen, commit);
  const gateway = {
    kind: 'url' as const,
    url: `http://127.0.0.1:${port}/gateway`,
    bearer: 'bearer-of-this-run',
  };
  rig.run({ config: { gateway } });
  const result = await rig.resultOf(seen.stepId);
  expect(result).toMatchObject({
    code: 0,
    outputTail: expect.stringContaining(`${rig.baseSha}\trefs/heads/main`),
  });
  expect(JSON.stringify(result)).not.toContain('bearer-of-this-run');
  const committed = await rig.resultOf(commit.stepId);
  if (committed.kind !== 'commit') throw new Error(JSON.stringify(committed));
  const push = pushStep(committed.sha);
  rig.ledger.steps.push(push);
  expect(await rig.resultOf(push.stepId)).toMatchObject({ outcome: 'pushed' });
  expect(callers.every((by) => 'bearer' in by && by.bearer === 'bearer-of-this-run')).toBe(true);
});

test('a refused push comes back with the words of the gateway', async () => {
  rig.ledger.refusePush = 'no push is due now';
  const commit = commitStep({ files: [{ path: 'a', content: 'a' }] });
  rig.ledger.steps.push(commit);
  rig.run();
  const committed = await rig.resultOf(commit.stepId);
  if (committed.kind !== 'commit') throw new Error(JSON.stringify(committed));
  const refused = pushStep(committed.sha);
  const elsewhere = pushStep(committed.sha, { ref: 'refs/heads/main' });
  const other = pushStep(rig.baseSha);
  rig.ledger.steps.push(refused, elsewhere, other);
  expect(await rig.resultOf(refused.stepId)).toEqual({
    kind: 'push',
    outcome: 'refused',
    message: 'no push is due now',
  });
  expect(await rig.resultOf(elsewhere.stepId)).toMatchObject({
    outcome: 'refused',
    message: 'only refs/specwright/0123abcd may be pushed to',
  });
  expect(await rig.resultOf(other.stepId)).toMatchObject({
    outcome: 'refused',
    message: `HEAD is ${committed.sha} and not ${rig.baseSha}`,
  });
});

test('a push that broke at the host is tried again and ends as pushed', async () => {
  const commit = commitStep({ files: [{ path: 'a', content: 'a' }] });
  rig.ledger.steps.push(commit);
  rig.run();
  const committed = await rig.resultOf(commit.stepId);
  if (committed.kind !== 'commit') throw new Error(JSON.stringify(committed));
  let failures = 1;
  rig.git.intercept = (request, response) => {
    if (failures === 0 || !request.url?.endsWith('/git-receive-pack')) return false;
    failures -= 1;
    request.resume().on('end', () => response.writeHead(500).end());
    return true;
  };
  const push = pushStep(committed.sha);
  rig.ledger.steps.push(push);
  expect(await rig.resultOf(push.stepId)).toMatchObject({ outcome: 'pushed' });
  expect(rig.ledger.pushes.map(({ state }) => state)).toEqual(['unknown', 'accepted']);
});

test("an agent's failure, its silence and its garbage are results", async () => {
  const failing = agentStep({ subject: 'explore' });
  const unknown = agentStep({ subject: 'nothing' });
  const answering = agentStep({ subject: 'design', outputSchema: { type: 'object' } });
  const garbage = commandStep(['sh', '-c', 'head -c 300000 /dev/urandom; echo; echo end']);
  const foreign = agentStep({ driver: 'toString' });
  rig.ledger.steps.push(failing, unknown, answering, garbage, foreign);
  rig.run({
    script: {
      phases: {
        explore: { say: ['\0 and \ud800'], fail: 'no idea' },
        design: { say: ['x'.repeat(60_000)], output: { a: ['b'] } },
      },
      tasks: {},
    },
  });
  expect(await rig.resultOf(failing.stepId)).toMatchObject({ outcome: 'failed', reason: 'no idea' });
  expect(await rig.resultOf(unknown.stepId)).toMatchObject({
    outcome: 'failed',
    reason: 'the script has no play for "nothing"',
  });
  expect(await rig.resultOf(answering.stepId)).toMatchObject({ outcome: 'done', output: { a: ['b'] } });
  const printed = await rig.resultOf(garbage.stepId);
  expect(printed).toMatchObject({ kind: 'command', code: 0, outputTail: expect.stringMatching(/\nend\n$/) });
  expect(JSON.stringify(printed)).not.toContain(String.raw`\u0000`);
  expect(await rig.resultOf(foreign.stepId)).toMatchObject({ kind: 'broken' });
  const texts = rig.ledger.events
    .filter(({ type }) => type === 'agent.text')
    .map(({ data }) => String(data.text));
  expect(texts[0]).toBe('\uFFFD and \uFFFD');
  expect(texts[1]).toMatch(/^x{7000,16000}… \(cut\)$/);
});

test('the gateway refuses what no runner of ours sends, without repeating it', async () => {
  const { sandboxId } = rig.identity;
  const call = (path: string, payload: unknown, headers: Record<string, string> = {}) =>
    rig.app.inject({
      method: 'POST',
      url: `/gateway${path}`,
      headers: { 'x-sandbox-generation': '1', authorization: 'Bearer bearer-of-this-run', ...headers },
      payload: payload as object,
    });
  const event = { seq: 1, at: '2026-11-22T10:00:00Z', type: 'heartbeat', stepId: null, data: {} };
  const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`) as unknown;
  const refused: [status: number, path: string, payload: unknown, headers?: Record<string, string>][] = [
    [401, '/steps/next', {}, { authorization: '' }],
    [401, '/steps/next', {}, { authorization: 'Bearer bearer-of-somebody' }],
    [401, '/steps/next', {}, { authorization: '', 'x-sandbox-id': sandboxId }],
    [400, '/steps/next', {}, { 'x-sandbox-generation': 'one' }],
    [400, '/steps/next', {}, { 'x-sandbox-generation': '99999999999' }],
    [410, '/steps/next', {}, { 'x-sandbox-generation': '2' }],
    [404, '/steps', {}],
    [413, '/steps/next', { filler: 'x'.repeat(2_000) }],
    [400, '/events', { events: [{ ...event, type: 'canary-type' }] }],
    [400, '/events', { events: [{ ...event, seq: 2 ** 40 }] }],
    [400, '/events', { events: [{ ...event, at: '0000-01-01T00:00:00Z' }] }],
    [400, '/events', { events: [{ ...event, data: { deep } }] }],
    [400, '/events', { events: [{ ...event, data: { text: 'x'.repeat(17_000) } }] }],
    [400, '/events', '{"events": [', { 'content-type': 'application/json' }],
    [413, '/events', { filler: 'x'.repeat(700_000) }],
    [415, '/events', 'canary', { 'content-type': 'application/octet-stream' }],
    [400, `/steps/${randomUUID()}/result`, { kind: 'canary-kind' }],
    [400, '/steps/canary/result', { kind: 'broken', reason: '' }],
    [409, `/steps/${randomUUID()}/result`, { kind: 'broken', reason: '' }],
  ];
  for (const [status, path, payload, headers] of refused) {
    const answer = await call(path, payload, headers);
    expect([path, answer.statusCode]).toEqual([path, status]);
    expect(answer.body).not.toContain('canary');
  }
  expect((await call('/steps/next', {}, { 'x-sandbox-generation': '2' })).json()).toMatchObject({
    stop: true,
  });
  const stored = await call('/events', { events: [{ ...event, data: { 'k\0': 'v\0\ud800' } }] });
  expect(stored.json()).toEqual({ acked: 1, messages: [] });
  expect(rig.ledger.events[0]?.data).toEqual({ 'k\uFFFD': 'v\uFFFD\uFFFD' });
});

test("a sandbox's socket leads to the gateway and to nothing else of the app", async () => {
  const probe = commandStep([
    process.execPath,
    '-e',
    `const paths = ['/private', '/../private', '//private', '/%2e%2e/private', '/steps'];
     const headers = { 'x-sandbox-generation': '1', authorization: 'Bearer bearer-of-this-run' };
     const http = require('node:http');
     for (const path of paths) http.get({ host: '127.0.0.1', port: new URL(process.env.GATEWAY_URL).port, path, headers, agent: false }, (r) => { console.log(r.statusCode); r.resume(); });`,
  ]);
  rig.ledger.steps.push(probe);
  rig.run();
  expect(await rig.resultOf(probe.stepId)).toMatchObject({ outputTail: '404\n404\n404\n404\n404\n' });
});

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

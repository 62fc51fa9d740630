import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fault } from '../../src/emulator/emulator.ts';
import { type EmulatedGithub, pluck, startEmulatedGithub } from '../harness/emulated-github.ts';
import { runGit } from '../harness/git-command.ts';

let github: EmulatedGithub;
let token: string;

beforeAll(async () => {
  github = await startEmulatedGithub();
  token = await github.token();
  await github.call(token, 'POST /repos/acme/greeter/issues', { title: 'One' });
});

afterEach(() => {
  github.emulator.hooks.onRequest = undefined;
  github.emulator.hooks.faults = undefined;
});

afterAll(() => github.close());

const COMMENTS = '/repos/acme/greeter/issues/1/comments';

function once(fault: Fault): void {
  let left = 1;
  github.emulator.hooks.onRequest = ({ method, kind }) =>
    method === 'POST' && kind !== 'graphql' && left-- > 0 ? fault : null;
}

async function bodies(): Promise<unknown[]> {
  const { body } = await github.call(token, `GET ${COMMENTS}`);
  return pluck(body, 'body');
}

describe('a fault', () => {
  test('before the change answers as told and does nothing', async () => {
    once({
      status: 403,
      body: { message: 'You have exceeded a secondary rate limit' },
      headers: { 'retry-after': '60' },
    });
    const refused = await github.call(token, `POST ${COMMENTS}`, { body: 'refused' });
    expect(refused).toMatchObject({ status: 403, body: { message: expect.stringContaining('secondary') } });
    expect(refused.headers.get('retry-after')).toBe('60');
    once({ before: 'reset' });
    await expect(github.call(token, `POST ${COMMENTS}`, { body: 'cut before' })).rejects.toThrow(
      'fetch failed',
    );
    expect(await bodies()).toEqual([]);
  });

  test('after the change loses or replaces the answer, and the change stands', async () => {
    once({ after: 502 });
    expect((await github.call(token, `POST ${COMMENTS}`, { body: 'bad gateway' })).status).toBe(502);
    once({ after: 'reset' });
    await expect(github.call(token, `POST ${COMMENTS}`, { body: 'cut after' })).rejects.toThrow(
      'fetch failed',
    );
    expect(await bodies()).toEqual(['bad gateway', 'cut after']);
    expect(github.emulator.requests().at(-2)).toMatchObject({ method: 'POST', status: null });
  });

  test('can be a delay', async () => {
    once({ delayMs: 40 });
    const started = performance.now();
    expect((await github.call(token, `POST ${COMMENTS}`, { body: 'late' })).status).toBe(201);
    expect(performance.now() - started).toBeGreaterThanOrEqual(39);
  });

  test('can be a page, nothing at all, broken JSON, a redirect or a wait before any of them', async () => {
    const url = `${github.emulator.apiUrl}/repos/acme/greeter`;
    const answers: [Fault, number, string, string][] = [
      [
        { status: 502, body: '<html>Unicorn!</html>' },
        502,
        'text/html; charset=utf-8',
        '<html>Unicorn!</html>',
      ],
      [{ status: 200, body: '' }, 200, 'application/json; charset=utf-8', ''],
      [{ status: 200, body: '{"id": 1' }, 200, 'application/json; charset=utf-8', '{"id": 1'],
      [{ delayMs: 1, next: { status: 500, body: '{}' } }, 500, 'application/json; charset=utf-8', '{}'],
    ];
    for (const [fault, status, type, body] of answers) {
      github.emulator.hooks.onRequest = () => fault;
      const answer = await fetch(url);
      expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
        status,
        type,
        body,
      ]);
    }
    github.emulator.hooks.onRequest = () => ({ redirect: `${url}/elsewhere` });
    const moved = await fetch(url, { redirect: 'manual' });
    expect([moved.status, moved.headers.get('location')]).toEqual([301, `${url}/elsewhere`]);
  });

  test('can cut the connection in the middle of the answer, and the change stands', async () => {
    const before = await bodies();
    github.emulator.hooks.onRequest = () => ({ after: 'half' });
    const answer = await fetch(`${github.emulator.apiUrl}${COMMENTS}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ body: 'halved' }),
    });
    expect(answer.status).toBe(201);
    await expect(answer.text()).rejects.toThrow('terminated');
    expect(github.emulator.requests().at(-1)).toMatchObject({ method: 'POST', status: null });
    github.emulator.hooks.onRequest = undefined;
    expect(await bodies()).toEqual([...before, 'halved']);
  });

  test('can be planned by route: after how many requests, how often, and whether it struck', async () => {
    const reactions = { route: /reactions$/, fault: { status: 500 } };
    const comments = {
      route: 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
      fault: { status: 502 },
      after: 1,
      times: 2,
    };
    github.emulator.hooks.faults = [reactions, comments];
    const statuses = [];
    for (let at = 0; at < 4; at += 1)
      statuses.push((await github.call(token, `POST ${COMMENTS}`, { body: `planned ${at}` })).status);
    expect(statuses).toEqual([201, 502, 502, 201]);
    expect(comments).toMatchObject({ seen: 4, struck: 2 });
    expect(reactions).not.toHaveProperty('struck');
  });

  test('strikes git as well', async () => {
    const folder = await github.folder();
    github.emulator.hooks.onRequest = ({ kind }) => (kind === 'git' ? { status: 503 } : null);
    const failed = await runGit(folder, ['clone', github.remote(token), 'copy']);
    expect(failed.output).toContain('503');
    github.emulator.hooks.onRequest = undefined;
    await runGit(folder, ['clone', github.remote(token), 'copy']);
    const copy = `${folder}/copy`;
    await runGit(copy, ['commit', '--allow-empty', '-m', 'Empty']);
    once({ after: 'reset' });
    expect((await runGit(copy, ['push', 'origin', 'HEAD:refs/heads/landed'])).code).not.toBe(0);
    const sha = (await runGit(copy, ['rev-parse', 'HEAD'])).output.trim();
    expect((await github.emulator.state()).repos['acme/greeter']?.branches.landed).toBe(sha);
  });
});

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

test('a GET whose ETag is known is answered 304', async () => {
  const url = `${github.emulator.apiUrl}/repos/acme/greeter`;
  const first = await fetch(url);
  const second = await fetch(url, { headers: { 'if-none-match': String(first.headers.get('etag')) } });
  expect([first.status, second.status]).toEqual([200, 304]);
});

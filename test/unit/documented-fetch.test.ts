import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import { watchFetch } from '../harness/documented-fetch.ts';
import { API } from '../harness/github-stage.ts';

const at = '/repos/acme/shop';
const REPO = '/repos/{owner}/{repo}';
const found: string[] = [];
let restore = () => {};

beforeEach(() => {
  found.length = 0;
  if (!nock.isActive()) nock.activate();
  restore = watchFetch(found);
});
afterEach(() => {
  restore();
  nock.cleanAll();
  // It changes Node's own modules, which the next test file of this process shares.
  nock.restore();
});

/** Asks for it and answers with it. */
async function pass(method: string, path: string, [status, answer]: [number, nock.Body?], body?: object) {
  nock(API).intercept(path, method).reply(status, answer);
  const sent = body ? { body: JSON.stringify(body) } : {};
  return await fetch(API + path, { method, ...sent });
}

describe('a canned answer', () => {
  test.each<[string, number, nock.Body | undefined]>([
    [at, 200, { id: 42, full_name: 'acme/shop' }],
    [at, 404, { message: 'Not Found' }],
    [at, 502, '<html></html>'],
    [`${at}/pulls`, 200, [{ number: 1, head: { ref: 'x', repo: null } }]],
  ])('that GitHub could give, whole or in part, passes: %s %d %j', async (path, status, answer) => {
    await pass('GET', path, [status, answer]);
    expect(found).toEqual([]);
  });

  test.each<[string, string, number, nock.Body | undefined, string]>([
    ['GET', at, 200, { colour: 'red' }, `GET ${REPO} 200: answer.colour: not documented`],
    ['GET', at, 200, { id: '42' }, `GET ${REPO} 200: answer.id: string, not integer`],
    ['GET', at, 200, { owner: { url: 'u' } }, `GET ${REPO} 200: answer.owner.url: "u" is no uri`],
    ['GET', at, 202, {}, `GET ${REPO} 202: the status 202 is not documented`],
    ['GET', at, 404, { why: 'none' }, `GET ${REPO} 404: answer.why: not documented`],
    ['GET', `${at}/pulls`, 200, [{ merged: true }], `GET ${REPO}/pulls 200: answer[].merged: not documented`],
  ])('that GitHub would not give is found: %s %s %d %j', async (method, path, status, answer, problem) => {
    await pass(method, path, [status, answer]);
    expect(found).toEqual([problem]);
  });

  test('comes to whoever asked for it as it was', async () => {
    const response = await pass('GET', at, [200, { colour: 'red' }]);
    expect(await response.json()).toEqual({ colour: 'red' });
  });
});

describe('a request', () => {
  const comments = `${at}/issues/5/comments`;
  const route = `POST ${REPO}/issues/{issue_number}/comments`;

  test.each([
    ['POST', comments, { body: 'x', text: 'y' }, `${route}: body.text: not documented`],
    ['POST', comments, { body: 7 }, `${route}: body.body: number, not string`],
    ['POST', comments, {}, `${route}: body.body: missing`],
    ['POST', `${comments}?draft=1`, { body: 'x' }, `${route}: query.draft: not documented`],
    ['GET', `${at}/nonsense`, undefined, `GET ${at}/nonsense: the path is not documented`],
  ])('that GitHub does not document is found: %s %s %j', async (method, path, body, problem) => {
    await pass(method, path, [404, { message: 'Not Found' }], body);
    expect(found).toEqual([problem]);
  });
});

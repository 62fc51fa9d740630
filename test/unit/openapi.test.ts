import { describe, expect, test } from '@jest/globals';
import { missingIn } from '../../scripts/openapi/wanted.ts';
import { watchConformance } from '../harness/conformance.ts';
import { namedRoutes } from '../harness/github-calls.ts';
import { readGithubDescription } from '../harness/openapi.ts';
import { createWalker } from '../harness/schema-walk.ts';

const github = readGithubDescription();
const REPO = '/repos/{owner}/{repo}';
const at = '/repos/acme/shop';
const REACTION = {
  id: 1,
  node_id: 'REA_1',
  user: null,
  content: 'eyes',
  created_at: '2026-01-02T03:04:05Z',
};

describe('the trimmed description of GitHub', () => {
  test('has every operation and event that is used (if not: node scripts/trim-openapi.ts)', () => {
    expect(missingIn(github.description)).toEqual([]);
    const { operations, ...rest } = github.description;
    const { 'GET /app': _app, ...fewer } = operations;
    expect(missingIn({ ...rest, operations: fewer })).toEqual(['GET /app']);
  });

  test('names its source, version and licence', () => {
    expect(github.description.about).toContain(`@octokit/openapi ${github.description.version}`);
    expect(github.description.license).toMatch(/^MIT License Copyright/);
  });

  test('says that an older GitHub Enterprise Server has all that the client calls', () => {
    expect(github.description.ghes.version).toMatch(/^3\.\d+$/);
    const { lacks } = github.description.ghes;
    expect(namedRoutes().filter((route) => lacks.includes(route))).toEqual([]);
  });
});

describe('a request', () => {
  const comments = `POST ${REPO}/issues/{issue_number}/comments`;
  const pulls = `GET ${REPO}/pulls`;

  test.each([
    [comments, `${at}/issues/7/comments`, { body: 'Hello' }],
    [pulls, `${at}/pulls?state=open&head=acme:spec%2Fx&per_page=5`, {}],
    [`GET ${REPO}/git/ref/{ref}`, `${at}/git/ref/heads/spec/x`, {}],
    [`PATCH ${REPO}/issues/comments/{comment_id}`, '/repositories/42/issues/comments/5', { body: 'x' }],
  ])('that GitHub documents is right: %s %s', (route, path, body) => {
    expect(github.routeOf(route.split(' ')[0] ?? '', path.split('?')[0] ?? '')).toBe(route);
    expect(github.inRequest({ route, path, body })).toEqual([]);
  });

  test.each([
    ['POST /repos/acme/shop/nonsense', `${at}/nonsense`, {}, 'the path is not documented'],
    [comments, `${at}/issues/seven/comments`, { body: 'x' }, 'path.issue_number: string, not integer'],
    [comments, `${at}/issues/7/comments?draft=1`, { body: 'x' }, 'query.draft: not documented'],
    [comments, `${at}/issues/7/comments`, {}, 'body.body: missing'],
    [comments, `${at}/issues/7/comments`, { body: 7 }, 'body.body: number, not string'],
    [comments, `${at}/issues/7/comments`, { body: 'x', text: 'y' }, 'body.text: not documented'],
    [pulls, `${at}/pulls?state=merged`, {}, 'query.state: "merged" is no choice'],
    [pulls, `${at}/pulls?per_page=many`, {}, 'query.per_page: string, not integer'],
    [pulls, `${at}/pulls`, { state: 'open' }, 'body: not documented'],
    [
      'POST /app/installations/{installation_id}/access_tokens',
      '/app/installations/7/access_tokens',
      { permissions: { content: 'write' } },
      'body.permissions.content: not documented',
    ],
    [
      'POST /app/installations/{installation_id}/access_tokens',
      '/app/installations/7/access_tokens',
      { permissions: { contents: 'admin' } },
      'body.permissions.contents: "admin" is no choice',
    ],
  ])('that GitHub does not document is refused: %s %s %j', (route, path, body, problem) => {
    expect(github.inRequest({ route, path, body })).toEqual([problem]);
  });
});

describe('an answer', () => {
  const route = `POST ${REPO}/issues/{issue_number}/reactions`;
  const error = { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' };

  test.each([
    [201, REACTION],
    [404, error],
    [422, { ...error, errors: [{ resource: 'Reaction', code: 'invalid', field: 'content' }] }],
  ])('that GitHub documents is right: %d %j', (status, body) => {
    expect(github.inAnswer({ route, status, body })).toEqual([]);
  });

  test.each([
    [202, REACTION, 'the status 202 is not documented'],
    [500, error, 'the status 500 is not documented'],
    [201, { ...REACTION, node_id: undefined }, 'answer.node_id: missing'],
    [201, { ...REACTION, colour: 'red' }, 'answer.colour: not documented'],
    [201, { ...REACTION, id: '1' }, 'answer.id: string, not integer'],
    [201, { ...REACTION, id: null }, 'answer.id: null'],
    [201, { ...REACTION, content: 'bored' }, 'answer.content: "bored" is no choice'],
    [201, { ...REACTION, created_at: 'today' }, 'answer.created_at: "today" is no date-time'],
    [201, [REACTION], 'answer: array, not object'],
    [201, undefined, 'answer: undefined, not object'],
    [404, { ...error, why: 'none' }, 'answer.why: not documented'],
  ])('that GitHub would not give is refused: %d %j', (status, body, problem) => {
    expect(github.inAnswer({ route, status, body })).toEqual([problem]);
  });

  test('without a body has none', () => {
    const route = 'DELETE /installation/token';
    expect(github.inAnswer({ route, status: 204, body: undefined })).toEqual([]);
    expect(github.inAnswer({ route, status: 204, body: {} })).toEqual(['answer: has a body']);
  });
});

test('a webhook has to be an event of GitHub with what belongs to it', () => {
  const missing = github.inWebhook('installation_target.renamed', { action: 'renamed' });
  expect(missing).toContain('payload.target_type: missing');
  expect(github.inWebhook('issues.painted', {})).toEqual(['the event is not documented']);
});

describe('the walker', () => {
  const { check } = createWalker({
    name: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    aged: { allOf: [{ $ref: 'name' }, { type: 'object', properties: { age: { type: 'integer' } } }] },
    tree: { type: 'object', properties: { below: { type: 'array', items: { $ref: 'tree' } } } },
  });
  const either = { oneOf: [{ type: 'string', nullable: true }, { $ref: 'aged' }] };
  const permissions = { type: 'object', additionalProperties: { type: 'string', enum: ['read'] } };

  test.each([
    [{ $ref: 'aged' }, { name: 'x', age: 3 }, []],
    [{ $ref: 'aged' }, { name: 'x', age: 3, size: 1 }, ['.size: not documented']],
    [{ $ref: 'aged' }, { age: 3.5 }, ['.name: missing', '.age: number, not integer']],
    [either, 'x', []],
    [either, null, []],
    [either, { name: 'x' }, []],
    [either, 7, [': number, not string']],
    [{ $ref: 'tree' }, { below: [{ below: [{}, {}] }] }, []],
    [
      { $ref: 'tree' },
      { below: [{ below: [{ leaf: 1 }, { leaf: 2 }] }] },
      ['.below[].below[].leaf: not documented'],
    ],
    [permissions, { contents: 'read' }, []],
    [permissions, { contents: 'write' }, ['.contents: "write" is no choice']],
    [{ type: 'object' }, { anything: 1 }, []],
    [
      { type: 'object', properties: {}, additionalProperties: false },
      { anything: 1 },
      ['.anything: not documented'],
    ],
    [{ type: 'array', minItems: 1, items: {} }, [], [': 0 entries is too few or too many']],
    [{ type: 'string', maxLength: 2 }, 'abc', [': 3 characters is too few or too many']],
    [{ type: 'string', format: 'uri' }, 'https://x/{y}', [': "https://x/{y}" is no uri']],
    [{ type: 'string', pattern: '^[a-f]+$' }, 'xyz', [': "xyz" is no ^[a-f]+$']],
  ])('judges by %j of %j', (schema, value, problems) => {
    expect(check(value, schema)).toEqual(problems);
  });
});

describe('what passes between the App and the emulator', () => {
  const app = { kind: 'app', appId: 1 } as const;
  const exchange = (path: string, status: number) => ({
    record: {
      ...({ kind: 'rest', at: 0, method: 'GET', route: 'GET /app/hook/deliveries', status: null } as const),
      path: `/api/v3${path}`,
      actor: app,
    },
    sent: {},
    reply: { status, body: status === 200 ? [] : { message: 'Invalid' } },
  });

  test.each([
    ['always', 200, ['request GET /app/hook/deliveries: query.redelivery: not documented']],
    ['always', 422, ['request GET /app/hook/deliveries: query.redelivery: not documented']],
    ['when granted', 422, []],
  ] as const)('is held to the description %s, here with %d', (held, status, violations) => {
    const hooks: Parameters<typeof watchConformance>[0]['hooks'] = {};
    const conformance = watchConformance({ hooks, deliveries: () => [] }, { app: held });
    for (let times = 0; times < 3; times += 1)
      hooks.onExchange?.(exchange('/app/hook/deliveries?redelivery=true', status));
    expect(conformance.violations()).toEqual(violations);
    if (violations.length > 0) expect(() => conformance.assert()).toThrow(violations[0]);
    else conformance.assert();
  });
});

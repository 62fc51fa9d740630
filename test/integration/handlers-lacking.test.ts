import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Fault, RequestRecord } from '../../src/emulator/emulator.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import { until } from '../harness/until.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk.close());

const NOT_GRANTED = 'The permissions requested are not granted to this installation.';

test('who may start a spec is told what the installation lacks, with the token that it grants', async () => {
  desk.github.createUser({ login: 'stingy', type: 'Organization' });
  const { fullName } = await desk.github.createRepository({ owner: 'stingy', name: 'shop', files: {} });
  const { login } = desk.world.people.maintainer;
  desk.github.addCollaborator({ repo: fullName, login, permission: 'write' });
  const app = { appId: desk.world.app.id, account: 'stingy', repositories: 'all' } as const;
  const { installationId } = await desk.github.installApp(app);
  const path = `/repos/${fullName}/issues`;
  const { number } = await desk.api<{ number: number }>('POST', path, { title: 'Sell things' });
  let refused = 0;
  desk.github.hooks.onRequest = ({ route, path: asked, method }: RequestRecord): Fault | null => {
    if (!asked.includes(`/app/installations/${installationId}`)) return null;
    if (method === 'GET') return { status: 200, body: installation(installationId) };
    // The first token asked for is the one that reads the settings.
    if (!route.endsWith('/access_tokens') || refused > 0) return null;
    refused += 1;
    return { status: 422, body: { message: NOT_GRANTED } };
  };
  await desk.api('POST', `${path}/${number}/labels`, { labels: ['spec'] });
  const comments = async () => (await desk.github.state()).repos[fullName]!.issues[0]!.comments;
  await until(async () => (await comments()).length > 0);
  await desk.settle();
  const bodies = (await comments()).map(({ body }) => body);
  expect(bodies).toHaveLength(1);
  expect(bodies[0]).toMatch(/^@mona no spec was started, because Specwright was not given what it needs/);
  expect(bodies[0]).toContain('lacks the permission "contents: write"');
  expect(bodies[0]).not.toContain('issues: write');
  expect(bodies[0]).toContain('**What to do:** have that accepted.');
  const verdict = await desk.verdict('issues', 'labeled');
  expect(verdict).toEqual({ state: 'handled', reason: expect.stringContaining('lacks permissions') });
});

function installation(id: number) {
  return {
    id,
    account: { login: 'stingy', id: 1 },
    target_type: 'Organization',
    permissions: { metadata: 'read', issues: 'write', pull_requests: 'write' },
    events: [],
    repository_selection: 'all',
    suspended_at: null,
  };
}

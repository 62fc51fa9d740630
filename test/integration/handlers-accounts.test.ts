import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import { type Desk, openDesk } from '../harness/desk.ts';

let desk: Desk;
/** A second organisation with the App on one chosen repository. */
let beta: number;

beforeAll(async () => {
  desk = await openDesk();
  const { github, world } = desk;
  github.createUser({ login: 'beta', type: 'Organization' });
  await repository('beta/one');
  const { installationId } = await github.installApp({
    appId: world.app.id,
    account: 'beta',
    repositories: ['one'],
  });
  beta = installationId;
  await desk.settle();
});
afterAll(() => desk.close());

const project = (id: number) => desk.database.db('projects').where({ repository_id: id }).first();
const installation = (id: number) => desk.database.db('installations').where({ id }).first();

async function repository(name: string): Promise<number> {
  const [owner = '', short = ''] = name.split('/');
  const files = { 'README.md': `# ${short}\n` };
  const { id } = await desk.github.createRepository({ owner, name: short, files });
  const { login } = desk.world.people.maintainer;
  desk.github.addCollaborator({ repo: name, login, permission: 'write' });
  return id;
}

/** A live spec in a repository. */
async function request(repo: string): Promise<() => Promise<SpecRow>> {
  const path = `/repos/${repo}/issues`;
  const { number } = await desk.api<{ number: number }>('POST', path, { title: 'Greet' });
  await desk.api('POST', `${path}/${number}/labels`, { labels: ['spec'] });
  await desk.settle();
  const { id } = await desk.database
    .db('specs')
    .where({ issue_number: number })
    .orderBy('created_at', 'desc')
    .first();
  return () => desk.database.db('specs').where({ id }).first();
}

describe('an installation', () => {
  test('is recorded with its repositories and permissions', async () => {
    expect(await installation(beta)).toMatchObject({
      account_login: 'beta',
      account_type: 'Organization',
      permissions: { contents: 'write', issues: 'write', pull_requests: 'write' },
      suspended_at: null,
      deleted_at: null,
    });
    const projects = await desk.database.db('projects').where({ installation_id: beta });
    expect(projects).toMatchObject([{ owner: 'beta', name: 'one' }]);
  });

  test('that is suspended pauses its specs, and they go on when it is lifted', async () => {
    const spec = await request('beta/one');
    desk.github.suspendInstallation(beta);
    await desk.settle();
    expect(await spec()).toMatchObject({
      status: 'queued',
      hold: { reason: 'paused', until: null, resumeTo: 'queued' },
    });
    expect((await installation(beta)).suspended_at).not.toBeNull();
    desk.github.unsuspendInstallation(beta);
    await desk.settle();
    expect(await spec()).toMatchObject({ status: 'queued', hold: null });
    expect((await installation(beta)).suspended_at).toBeNull();
  });

  test('whose permissions were accepted anew has them recorded', async () => {
    const sent = desk.github
      .deliveries()
      .find((one) => one.event === 'installation' && one.installationId === beta)!;
    const payload = sent.payload as { installation: object };
    const body = {
      ...payload,
      action: 'new_permissions_accepted',
      installation: {
        ...payload.installation,
        permissions: { metadata: 'read', checks: 'write' },
        updated_at: new Date(Date.now() + 1000).toISOString(),
      },
    };
    const guid = randomUUID();
    await desk.github.sendWebhook({ appId: desk.world.app.id, event: 'installation', body, guid });
    await desk.settle();
    expect((await installation(beta)).permissions).toEqual({ metadata: 'read', checks: 'write' });
  });

  test('that gains and loses a repository knows it, and the specs of a lost one are cancelled', async () => {
    const two = await repository('beta/two');
    expect(await project(two)).toBeUndefined();
    desk.github.includeRepository(beta, 'beta/two');
    await desk.settle();
    expect(await project(two)).toMatchObject({ installation_id: beta, owner: 'beta', removed_at: null });
    const spec = await request('beta/two');
    desk.github.excludeRepository(beta, 'beta/two');
    await desk.settle();
    expect(await spec()).toMatchObject({
      status: 'cancelled',
      cause: "@beta removed the repository from the App's installation.",
    });
    expect((await project(two)).removed_at).not.toBeNull();
    desk.github.includeRepository(beta, 'beta/two');
    await desk.settle();
    expect((await project(two)).removed_at).toBeNull();
  });

  test('whose account is renamed is known by its new name, and so are its repositories', async () => {
    const spec = await request('beta/one');
    desk.github.renameAccount('beta', 'gamma');
    await desk.settle();
    expect((await installation(beta)).account_login).toBe('gamma');
    expect((await project((await spec()).repository_id)).owner).toBe('gamma');
    expect((await spec()).status).toBe('queued');
  });

  test('that is deleted cancels what runs, and nothing more is sent there', async () => {
    const spec = await request('gamma/one');
    const before = desk.github.requests().length;
    desk.github.uninstall(beta);
    await desk.settle();
    expect(await spec()).toMatchObject({ status: 'cancelled', cause: '@gamma uninstalled the App.' });
    expect((await installation(beta)).deleted_at).not.toBeNull();
    expect((await project((await spec()).repository_id)).removed_at).not.toBeNull();
    const after = desk.github.requests().slice(before);
    expect(after.filter(({ path }) => path.includes('/gamma/one/issues'))).toEqual([]);
  });
});

describe('a repository', () => {
  test('that is renamed keeps its specs, which are written to under the new name', async () => {
    const id = await repository('acme/before');
    const spec = await request('acme/before');
    await desk.github.renameRepository('acme/before', 'after');
    await desk.settle();
    expect(await project(id)).toMatchObject({ name: 'after' });
    expect((await spec()).status).toBe('queued');
    const { issue_number: issue } = await spec();
    await desk.api('DELETE', `/repos/acme/after/issues/${issue}/labels/spec`);
    await desk.settle();
    const { comments } = (await desk.github.state()).repos['acme/after']!.issues[0]!;
    expect(comments).toMatchObject([{ body: expect.stringContaining('Cancelled') }]);
  });

  test('that is transferred belongs to the installation it came to, whichever webhook is first', async () => {
    desk.github.createUser({ login: 'delta', type: 'Organization' });
    const { installationId } = await desk.github.installApp({
      appId: desk.world.app.id,
      account: 'delta',
      repositories: 'all',
    });
    const id = await repository('acme/moving');
    await request('acme/moving');
    desk.github.hooks.beforeSend = ({ event, action }) =>
      event === 'installation_repositories' && action === 'removed' ? { delayMs: 400 } : 'send';
    await desk.github.transferRepository('acme/moving', 'delta');
    await desk.settle();
    desk.github.hooks.beforeSend = undefined;
    expect(await project(id)).toMatchObject({
      installation_id: installationId,
      owner: 'delta',
      removed_at: null,
    });
  });

  test('that is archived has its specs cancelled, and works again when it is not', async () => {
    const id = await repository('acme/old');
    const spec = await request('acme/old');
    await desk.github.archiveRepository('acme/old', true);
    await desk.settle();
    expect(await spec()).toMatchObject({ status: 'cancelled', cause: '@acme archived the repository.' });
    expect((await project(id)).archived_at).not.toBeNull();
    await desk.github.archiveRepository('acme/old', false);
    await desk.settle();
    expect((await project(id)).archived_at).toBeNull();
    expect((await (await request('acme/old'))()).status).toBe('queued');
  });

  test('that is hidden, shown or given another default branch is noted, and its specs go on', async () => {
    const id = await repository('acme/plain');
    const spec = await request('acme/plain');
    await desk.github.setPrivate('acme/plain', true);
    await desk.settle();
    expect(await project(id)).toMatchObject({ private: true });
    await desk.github.setPrivate('acme/plain', false);
    const { branches } = (await desk.github.state()).repos['acme/plain']!;
    await desk.api('POST', '/repos/acme/plain/git/refs', { ref: 'refs/heads/trunk', sha: branches.main });
    await desk.github.setDefaultBranch('acme/plain', 'trunk');
    await desk.settle();
    expect(await project(id)).toMatchObject({ private: false, default_branch: 'trunk' });
    expect((await spec()).status).toBe('queued');
  });

  test('that is deleted has its specs cancelled', async () => {
    const id = await repository('acme/gone');
    const spec = await request('acme/gone');
    await desk.github.deleteRepository('acme/gone');
    await desk.settle();
    expect(await spec()).toMatchObject({ status: 'cancelled', cause: '@acme deleted the repository.' });
    expect((await project(id)).deleted_at).not.toBeNull();
  });
});

test('every delivery ended with a reason, and none was parked', async () => {
  const rows = await desk.database.db('deliveries').whereNotIn('state', ['handled', 'ignored']);
  expect(rows.map(({ event, action, state, reason }) => ({ event, action, state, reason }))).toEqual([]);
  expect(await desk.database.db('deliveries').where({ reason: null })).toEqual([]);
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { App } from '@octokit/app';
import { ProbotOctokit } from 'probot';
import { type EmulatedGithub, signJwt, startEmulatedGithub } from '../harness/emulated-github.ts';

let github: EmulatedGithub;

beforeAll(async () => {
  github = await startEmulatedGithub();
});

afterAll(() => github.close());

const REPO = '/repos/acme/greeter';

describe('an App', () => {
  test('is known by its JWT, whether issued for its id or its client id', async () => {
    const byId = await github.call(github.jwt(), 'GET /app');
    const byClientId = await github.call(github.jwt({ iss: github.demo.app.clientId }), 'GET /app');
    expect(byId).toMatchObject({ status: 200, body: { id: github.demo.app.id, slug: 'specwright' } });
    expect(byClientId.body.id).toBe(github.demo.app.id);
  });

  test('is refused with a JWT that is expired, too long, from the future, foreign or malformed', async () => {
    const seconds = Math.floor(Date.now() / 1000);
    const other = github.emulator.createApp({
      slug: 'other',
      name: 'Other',
      webhookSecret: 'x',
      permissions: {},
      events: [],
    });
    const bad = [
      github.jwt({ exp: seconds - 5 }),
      github.jwt({ exp: seconds + 4000 }),
      github.jwt({ iat: seconds + 600, exp: seconds + 900 }),
      signJwt(other.privateKey, { iss: github.demo.app.id }),
      'a.b.c',
    ];
    for (const jwt of bad) expect((await github.call(jwt, 'GET /app')).status).toBe(401);
    expect((await github.call(null, 'GET /app')).status).toBe(401);
    expect((await github.call(github.demo.people.maintainer.token, 'GET /app')).status).toBe(401);
  });

  test('works with the real @octokit/app against the address of an Enterprise Server', async () => {
    const { app, installation } = github.demo;
    const client = new App({
      appId: app.id,
      privateKey: app.privateKey,
      Octokit: ProbotOctokit.defaults({ baseUrl: github.emulator.apiUrl }),
    });
    const octokit = await client.getInstallationOctokit(installation.id);
    const answer = await octokit.request('GET /repos/{owner}/{repo}', { owner: 'acme', repo: 'greeter' });
    expect(answer.data).toMatchObject({
      id: github.demo.repo.id,
      full_name: 'acme/greeter',
      default_branch: 'main',
    });
  });
});

describe('an installation token', () => {
  test('is opaque, about 520 characters long and valid for an hour', async () => {
    const path = `/app/installations/${github.demo.installation.id}/access_tokens`;
    const { status, body } = await github.call(github.jwt(), `POST ${path}`);
    expect(status).toBe(201);
    expect(body.token).toMatch(/^ghs_/);
    expect(Math.abs(body.token.length - 520)).toBeLessThan(10);
    expect(Date.parse(body.expires_at) - Date.now()).toBeGreaterThan(59 * 60_000);
    expect(body).toMatchObject({
      repository_selection: 'all',
      permissions: { contents: 'write', metadata: 'read' },
    });
  });

  test('can be narrowed to a repository and to permissions, which are then enforced', async () => {
    await github.emulator.createRepository({ owner: 'acme', name: 'second', files: { a: 'a' } });
    const token = await github.token({ repositories: ['greeter'], permissions: { contents: 'read' } });
    expect((await github.call(token, `GET ${REPO}/git/ref/heads/main`)).status).toBe(200);
    expect((await github.call(token, 'GET /repos/acme/second')).status).toBe(404);
    const refused = await github.call(token, `POST ${REPO}/issues`, { title: 'x' });
    expect(refused).toMatchObject({
      status: 403,
      body: { message: 'Resource not accessible by integration' },
    });
    const write = await github.call(token, `POST ${REPO}/git/refs`, {
      ref: 'refs/heads/x',
      sha: '0'.repeat(40),
    });
    expect(write.status).toBe(403);
    const { body } = await github.call(token, 'GET /installation/repositories');
    expect(body).toMatchObject({ total_count: 1, repositories: [{ name: 'greeter' }] });
  });

  test('is refused when more is asked for than the installation has', async () => {
    const path = `POST /app/installations/${github.demo.installation.id}/access_tokens`;
    const more = await github.call(github.jwt(), path, { permissions: { actions: 'write' } });
    const foreign = await github.call(github.jwt(), path, { permissions: { administration: 'read' } });
    const elsewhere = await github.call(github.jwt(), path, { repository_ids: [1] });
    expect([more.status, foreign.status, elsewhere.status]).toEqual([422, 422, 422]);
  });

  test('ends when it is revoked', async () => {
    const token = await github.token();
    expect((await github.call(token, 'DELETE /installation/token')).status).toBe(204);
    expect(await github.call(token, `GET ${REPO}`)).toMatchObject({
      status: 401,
      body: { message: 'Bad credentials' },
    });
  });

  test('ends after an hour of the emulator', async () => {
    const token = await github.token();
    github.emulator.advanceClock(59 * 60_000);
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(200);
    github.emulator.advanceClock(2 * 60_000);
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(401);
    expect((await github.call(await github.token(), `GET ${REPO}`)).status).toBe(200);
  });

  test('is refused while the installation is suspended, and gone once it is removed', async () => {
    const app = github.emulator.createApp({
      slug: 'guest',
      name: 'Guest',
      webhookSecret: 'x',
      permissions: { issues: 'write' },
      events: [],
    });
    const { installationId } = await github.emulator.installApp({
      appId: app.id,
      account: 'acme',
      repositories: ['greeter'],
    });
    const jwt = signJwt(app.privateKey, { iss: app.id });
    const minting = `POST /app/installations/${installationId}/access_tokens`;
    const { token } = (await github.call(jwt, minting)).body;
    github.emulator.suspendInstallation(installationId);
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(403);
    expect((await github.call(jwt, minting)).status).toBe(403);
    github.emulator.unsuspendInstallation(installationId);
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(200);
    github.emulator.uninstall(installationId);
    expect((await github.call(token, `GET ${REPO}`)).status).toBe(401);
    expect((await github.call(jwt, minting)).status).toBe(404);
    expect((await github.call(jwt, `GET ${REPO}/installation`)).status).toBe(404);
  });
});

describe('a person', () => {
  test('may do what their role allows', async () => {
    const { maintainer, reader, outsider } = github.demo.people;
    const { body: issue } = await github.call(outsider.token, `POST ${REPO}/issues`, {
      title: 'From outside',
      labels: ['bug'],
    });
    expect(issue.labels).toEqual([]); // labels of people without triage are dropped
    const labels = `POST ${REPO}/issues/${issue.number}/labels`;
    expect((await github.call(reader.token, labels, { labels: ['bug'] })).status).toBe(403);
    expect((await github.call(maintainer.token, labels, { labels: ['bug'] })).status).toBe(200);
    expect((await github.call(null, labels, { labels: ['bug'] })).status).toBe(401);
    expect(
      (await github.call(outsider.token, `PATCH ${REPO}/issues/${issue.number}`, { title: 'Mine' })).status,
    ).toBe(200);
    expect(
      (await github.call(reader.token, `PATCH ${REPO}/issues/${issue.number}`, { title: 'Not mine' })).status,
    ).toBe(403);
  });

  test('has a permission that an App can ask for', async () => {
    const token = await github.token();
    github.emulator.createUser({ login: 'keeper' });
    github.emulator.addCollaborator({ repo: 'acme/greeter', login: 'keeper', permission: 'maintain' });
    const of = async (login: string, repo = 'greeter') => {
      const { status, body } = await github.call(
        token,
        `GET /repos/acme/${repo}/collaborators/${login}/permission`,
      );
      return status === 200 ? [body.permission, body.role_name] : status;
    };
    await github.emulator.createRepository({
      owner: 'acme',
      name: 'secret',
      files: { a: 'a' },
      private: true,
    });
    expect(await of('mona')).toEqual(['write', 'write']);
    expect(await of('keeper')).toEqual(['write', 'maintain']);
    expect(await of('rookie')).toEqual(['read', 'read']);
    expect(await of('stranger')).toEqual(['read', 'read']);
    expect(await of('stranger', 'secret')).toEqual(['none', 'none']);
    expect(await of('nobody')).toBe(404);
  });

  test('does not see a private repository from outside', async () => {
    const { outsider } = github.demo.people;
    await github.emulator.createRepository({
      owner: 'acme',
      name: 'hidden',
      files: { a: 'a' },
      private: true,
    });
    expect((await github.call(outsider.token, 'GET /repos/acme/hidden')).status).toBe(404);
    expect((await github.call(null, 'GET /repos/acme/hidden')).status).toBe(404);
    expect((await github.call(null, `GET ${REPO}`)).status).toBe(200);
  });
});

test('a renamed repository is found by its id and redirected by its old name', async () => {
  const { fullName, id } = await github.emulator.createRepository({
    owner: 'acme',
    name: 'before',
    files: { a: 'a' },
  });
  await github.emulator.renameRepository(fullName, 'after');
  const token = await github.token();
  const old = await github.call(token, 'GET /repos/acme/before/git/ref/heads/main');
  expect(old).toMatchObject({ status: 301, body: { message: 'Moved Permanently' } });
  const target = String(old.headers.get('location'));
  const followed = await fetch(target, { headers: { authorization: `token ${token}` } });
  expect([followed.status, target.endsWith(`/repositories/${id}/git/ref/heads/main`)]).toEqual([200, true]);
  expect((await github.call(token, `POST /repos/acme/before/issues`, { title: 'x' })).status).toBe(307);
});

test('an archived repository takes no writes', async () => {
  const { fullName } = await github.emulator.createRepository({
    owner: 'acme',
    name: 'museum',
    files: { a: 'a' },
  });
  await github.emulator.archiveRepository(fullName, true);
  const token = await github.token();
  expect((await github.call(token, 'POST /repos/acme/museum/issues', { title: 'x' })).status).toBe(403);
  expect((await github.call(token, 'GET /repos/acme/museum')).body.archived).toBe(true);
});

test('each request is recorded with its route template, status and actor', async () => {
  const token = await github.token();
  await github.call(token, `GET ${REPO}/issues/9999`);
  const [minted, read] = github.emulator.requests().slice(-2);
  expect(minted).toMatchObject({
    kind: 'rest',
    route: 'POST /app/installations/{installation_id}/access_tokens',
    status: 201,
    actor: { kind: 'app', appId: github.demo.app.id },
  });
  expect(read).toMatchObject({
    route: 'GET /repos/{owner}/{repo}/issues/{issue_number}',
    path: `/api/v3${REPO}/issues/9999`,
    status: 404,
    actor: { kind: 'installation', installationId: github.demo.installation.id },
  });
  expect(JSON.stringify(github.emulator.requests())).not.toContain(token);
});

test('a body that is no JSON is refused with 400, and an unknown route with 404', async () => {
  const broken = await fetch(`${github.emulator.apiUrl}${REPO}/issues`, {
    method: 'POST',
    headers: { authorization: `Bearer ${github.demo.people.maintainer.token}` },
    body: '{"title"',
  });
  expect(broken.status).toBe(400);
  expect(await broken.json()).toMatchObject({ message: 'Problems parsing JSON' });
  expect((await github.call(null, 'GET /nowhere')).status).toBe(404);
});

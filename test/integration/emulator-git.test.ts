import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cloneDemo, commitIn, headOf } from '../harness/emulated-clone.ts';
import { type EmulatedGithub, pluck } from '../harness/emulated-github.ts';
import { startAskedGithub } from '../harness/emulated-project.ts';
import { runGit } from '../harness/git-command.ts';

let github: EmulatedGithub;
let token: string;

beforeAll(async () => {
  ({ github, token } = await startAskedGithub());
});

afterAll(() => github.close());

const REPO = '/repos/acme/greeter';

describe('git over HTTP', () => {
  test('clones, whole or without blobs, and pushes what others then see', async () => {
    const folder = await cloneDemo(github, token, '--filter=blob:none');
    const sha = await commitIn(folder, 'pushed.txt', 'pushed\n');
    const pushed = await runGit(folder, ['push', 'origin', 'HEAD:refs/heads/pushed']);
    expect(pushed).toMatchObject({ code: 0 });
    expect(await headOf(github, token, 'pushed')).toBe(sha);
    await github.emulator.idle();
    const [create, push] = github.received.slice(-2);
    expect(create).toMatchObject({
      event: 'create',
      payload: { ref: 'pushed', ref_type: 'branch', master_branch: 'main' },
    });
    expect(push?.payload).toMatchObject({
      ref: 'refs/heads/pushed',
      before: '0'.repeat(40),
      after: sha,
      created: true,
      forced: false,
      commits: [{ id: sha, added: ['pushed.txt'], message: 'Change pushed.txt' }],
      sender: { login: 'specwright[bot]' },
      installation: { id: github.demo.installation.id },
    });
    const second = await cloneDemo(github, token);
    expect((await runGit(second, ['log', '--format=%H', 'origin/pushed', '-1'])).output.trim()).toBe(sha);
  });

  test('takes a push that git sends gzipped or in chunks', async () => {
    const folder = await cloneDemo(github, token);
    const large = Buffer.alloc(3_000_000, 'x').toString();
    const sha = await commitIn(folder, 'large.txt', `${large}${Math.random()}`);
    const pushed = await runGit(folder, ['push', 'origin', 'HEAD:refs/heads/large'], {
      'http.postBuffer': '65536',
      'pack.compression': '0',
    });
    expect(pushed).toMatchObject({ code: 0 });
    expect(await headOf(github, token, 'large')).toBe(sha);
  });

  test('keeps hidden refs quiet: they can be pushed, read and deleted, and no webhook tells of them', async () => {
    const folder = await cloneDemo(github, token);
    const sha = await commitIn(folder, 'hidden.txt', 'hidden\n');
    await github.emulator.idle();
    const before = github.received.length;
    expect(await runGit(folder, ['push', 'origin', 'HEAD:refs/specwright/abcdef12'])).toMatchObject({
      code: 0,
    });
    const { body } = await github.call(token, `GET ${REPO}/git/ref/specwright/abcdef12`);
    expect(body).toMatchObject({ ref: 'refs/specwright/abcdef12', object: { sha, type: 'commit' } });
    expect((await github.emulator.state()).repos['acme/greeter']?.hiddenRefs).toEqual({
      'refs/specwright/abcdef12': sha,
    });
    expect((await github.call(token, `DELETE ${REPO}/git/refs/specwright/abcdef12`)).status).toBe(204);
    expect((await github.call(token, `DELETE ${REPO}/git/refs/specwright/abcdef12`)).status).toBe(422);
    await github.emulator.idle();
    expect(github.received.length).toBe(before);
  });

  test('asks for credentials, and refuses the wrong ones and too small ones', async () => {
    const folder = await cloneDemo(github, token);
    await commitIn(folder, 'refused.txt', 'refused\n');
    const push = (secret: string) =>
      runGit(folder, ['push', github.remote(secret), 'HEAD:refs/heads/refused']);
    const readOnly = await github.token({ permissions: { contents: 'read' } });
    expect((await push('ghs_wrong')).output).toMatch(/Authentication failed|could not read/i);
    expect((await push(readOnly)).output).toContain('403');
    expect((await push(github.demo.people.reader.token)).output).toContain('403');
    expect((await push(github.demo.people.maintainer.token)).code).toBe(0);
    await github.emulator.createRepository({
      owner: 'acme',
      name: 'secret',
      files: { a: 'a' },
      private: true,
    });
    const narrow = await github.token({ repositories: ['greeter'] });
    const list = (secret: string) => runGit(folder, ['ls-remote', github.remote(secret, 'acme/secret')]);
    expect((await list(narrow)).output).toMatch(/not found/i);
    expect((await list(token)).code).toBe(0);
    const challenge = await fetch(`${github.emulator.url}/acme/secret.git/info/refs?service=git-upload-pack`);
    expect([challenge.status, challenge.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="GitHub"',
    ]);
  });

  test('follows a repository to its new name', async () => {
    await github.emulator.createRepository({ owner: 'acme', name: 'old-name', files: { 'a.txt': 'a' } });
    await github.emulator.renameRepository('acme/old-name', 'new-name');
    const folder = await github.folder();
    expect(await runGit(folder, ['clone', github.remote(token, 'acme/old-name'), '.'])).toMatchObject({
      code: 0,
    });
  });

  test('shows each git request in the request log', async () => {
    await cloneDemo(github, token);
    const logged = github.emulator
      .requests()
      .filter((one) => one.kind === 'git')
      .slice(-2);
    expect(logged.map((one) => [one.route, one.status])).toEqual([
      ['POST /{owner}/{repo}.git/git-upload-pack', 200],
      ['POST /{owner}/{repo}.git/git-upload-pack', 200],
    ]);
  });
});

describe('references', () => {
  test('are created, moved forward and deleted, each with its own refusals', async () => {
    const main = await headOf(github, token, 'main');
    const create = (ref: string, sha = main) => github.call(token, `POST ${REPO}/git/refs`, { ref, sha });
    expect((await create('refs/heads/topic/one')).status).toBe(201);
    expect((await create('refs/heads/topic/one')).body.message).toBe('Reference already exists');
    expect(await create('refs/heads/topic')).toMatchObject({ status: 422 }); // a folder of refs stands there
    expect(await create('refs/heads/topic/one/more')).toMatchObject({ status: 422 });
    expect((await create('refs/heads/x', 'f'.repeat(40))).body.message).toBe('Object does not exist');
    expect((await create('topic')).status).toBe(422);
    expect((await create('refs/heads/a..b')).status).toBe(422);
    const matching = await github.call(token, `GET ${REPO}/git/matching-refs/heads/topic`);
    expect(pluck(matching.body, 'ref')).toEqual(['refs/heads/topic/one']);
    expect((await github.call(token, `GET ${REPO}/git/ref/heads/topic`)).status).toBe(404);
    expect((await github.call(token, `DELETE ${REPO}/git/refs/heads/main`)).status).toBe(422);
  });

  test('move only forward unless forced', async () => {
    const folder = await cloneDemo(github, token);
    const main = await headOf(github, token, 'main');
    const sha = await commitIn(folder, 'ahead.txt', 'ahead\n');
    await runGit(folder, ['push', 'origin', 'HEAD:refs/heads/ahead']);
    const move = (to: string, force?: boolean) =>
      github.call(token, `PATCH ${REPO}/git/refs/heads/ahead`, { sha: to, force });
    expect(await move(main)).toMatchObject({
      status: 422,
      body: { message: 'Update is not a fast forward' },
    });
    expect((await move(main, true)).body.object.sha).toBe(main);
    expect((await move(sha)).body.object.sha).toBe(sha);
    const missing = await github.call(token, `PATCH ${REPO}/git/refs/heads/nowhere`, { sha: main });
    expect(missing).toMatchObject({ status: 422, body: { message: 'Reference does not exist' } });
  });

  test('are created once however many ask at the same moment', async () => {
    const sha = await headOf(github, token, 'main');
    const asked = Array.from({ length: 8 }, () =>
      github.call(token, `POST ${REPO}/git/refs`, { ref: 'refs/heads/race', sha }),
    );
    const statuses = (await Promise.all(asked)).map((answer) => answer.status).sort((a, b) => a - b);
    expect(statuses).toEqual([201, 422, 422, 422, 422, 422, 422, 422]);
  });

  test('of an empty repository answer 409', async () => {
    await github.emulator.createRepository({ owner: 'acme', name: 'empty', files: {} });
    const answer = await github.call(token, 'GET /repos/acme/empty/git/ref/heads/main');
    expect(answer).toMatchObject({ status: 409, body: { message: 'Git Repository is empty.' } });
  });

  test('obey the rules, through the API and over git alike', async () => {
    const { fullName } = await github.emulator.createRepository({
      owner: 'acme',
      name: 'ruled',
      files: { a: 'a' },
    });
    github.emulator.setRules(fullName, [
      { type: 'branch_name_pattern', parameters: { operator: 'starts_with', pattern: 'feature/' } },
      {
        type: 'pull_request',
        branches: ['~DEFAULT_BRANCH'],
        parameters: { required_approving_review_count: 1 },
      },
    ]);
    const main = (await github.call(token, 'GET /repos/acme/ruled/git/ref/heads/main')).body.object.sha;
    const create = (ref: string) => github.call(token, 'POST /repos/acme/ruled/git/refs', { ref, sha: main });
    expect(await create('refs/heads/spec/one')).toMatchObject({ status: 422 });
    expect((await create('refs/heads/feature/one')).status).toBe(201);
    const rules = await github.call(token, 'GET /repos/acme/ruled/rules/branches/spec/one');
    expect(rules.body).toMatchObject([{ type: 'branch_name_pattern', ruleset_source_type: 'Repository' }]);
    const folder = await github.folder();
    await runGit(folder, ['clone', '--quiet', github.remote(token, fullName), '.']);
    await commitIn(folder, 'b', 'b');
    const pushed = await runGit(folder, ['push', 'origin', 'HEAD:refs/heads/spec/two']);
    expect(pushed).toMatchObject({ code: 1, output: expect.stringContaining('rule violations') });
    expect((await runGit(folder, ['push', 'origin', 'HEAD:main'])).output).toContain(
      'through a pull request',
    );
    expect((await runGit(folder, ['push', 'origin', 'HEAD:feature/two'])).code).toBe(0);
    const branch = await github.call(token, 'GET /repos/acme/ruled/branches/main');
    expect(branch.body).toMatchObject({ name: 'main', protected: true, commit: { sha: main } });
  });

  test('ask for signed commits: what the App makes without an author is, nothing else', async () => {
    const made = await github.emulator.createRepository({ owner: 'acme', name: 'signed', files: { a: 'a' } });
    const repo = `/repos/${made.fullName}`;
    github.emulator.setRules(made.fullName, [{ type: 'required_signatures', branches: ['spec/**'] }]);
    const main = (await github.call(token, `GET ${repo}/git/ref/heads/main`)).body.object.sha;
    const { tree } = (await github.call(token, `GET ${repo}/git/commits/${main}`)).body;
    const commit = (more: object) =>
      github.call(token, `POST ${repo}/git/commits`, {
        message: 'x',
        tree: tree.sha,
        parents: [main],
        ...more,
      });
    const signed = await commit({});
    const unsigned = await commit({ author: { name: 'a', email: 'a@example.com' } });
    expect(signed.body.verification).toMatchObject({ verified: true, reason: 'valid' });
    expect(unsigned.body.verification).toMatchObject({ verified: false, reason: 'unsigned' });
    const create = (name: string, sha: string) =>
      github.call(token, `POST ${repo}/git/refs`, { ref: `refs/heads/${name}`, sha });
    expect((await create('spec/base', main)).status).toBe(201);
    const move = (sha: string) => github.call(token, `PATCH ${repo}/git/refs/heads/spec/base`, { sha });
    const refused = await move(unsigned.body.sha);
    expect(refused.status).toBe(422);
    expect(refused.body.message).toContain('Commits must have verified signatures.');
    expect((await move(signed.body.sha)).status).toBe(200);
    expect((await create('other', unsigned.body.sha)).status).toBe(201);
  });
});

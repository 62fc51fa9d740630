import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Line, openLine } from '../harness/line.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const fixture = 'test/fixtures/webhooks/issues.labeled.json';

let line: Line;

beforeAll(async () => {
  line = await openLine();
});
afterAll(() => line.close());

/** `probot receive` as a developer types it, in the project's folder. */
function receive(path: string, event = 'issues') {
  const probot = join(root, 'node_modules/.bin/probot');
  return run(probot, ['receive', '-e', event, '-p', path, './src/index.ts'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...line.env },
  });
}

test('probot receive decides an event, and a worker that starts later goes on with it', async () => {
  const payload = JSON.parse(await readFile(join(root, fixture), 'utf8'));
  const { installation, repo } = line.world;
  // The demo's world has the same ids every time; where they change, so does the fixture.
  expect([payload.installation.id, payload.repository.id]).toEqual([installation.id, repo.id]);
  const { title, body } = payload.issue;
  await line.api('POST', `/repos/${repo.fullName}/issues`, { title, body, labels: ['spec'] });

  const { stdout, stderr } = await receive(fixture);
  expect(`${stdout}${stderr}`).toMatch(/event decided/);
  const specs = await line.database.db('specs');
  expect(specs).toMatchObject([{ repository_id: repo.id, issue_number: 1, status: 'queued', title, body }]);

  const again = await receive(fixture);
  expect(`${again.stdout}${again.stderr}`).toMatch(/is running already/);
  expect(await line.database.db('specs')).toHaveLength(1);

  await line.startHere();
  await until(async () => (await line.database.db('specs').first()).status !== 'queued');
  expect((await line.database.db('specs').first()).status).toBe('planning');
}, 60_000);

test('probot receive says what is missing and fails', async () => {
  const { WEBHOOK_SECRET: _, ...env } = line.env;
  const probot = join(root, 'node_modules/.bin/probot');
  const failed = await run(probot, ['receive', '-e', 'issues', '-p', fixture, './src/index.ts'], {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
  }).catch((error: { code: number; stdout: string; stderr: string }) => error);
  expect(failed).toMatchObject({ code: 1 });
  expect(`${failed.stdout}${failed.stderr}`).toMatch(/WEBHOOK_SECRET is not set/);
});

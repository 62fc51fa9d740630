import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import type { Fault, RequestRecord } from '../../src/emulator/emulator.ts';
import { defaultSettings } from '../../src/services/settings/schema.ts';
import { mayChangeWorkflows } from '../../src/services/spec/work.ts';
import { type Desk, openDesk } from '../harness/desk.ts';
import { until } from '../harness/until.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await openDesk();
});
afterEach(() => {
  desk.github.setRules(desk.world.repo.fullName, []);
});
afterAll(() => desk.close());

/** Labels an issue of a repository and tells what people and the database see of the failure. */
async function refused(
  repo = desk.world.repo.fullName,
  fault: (request: RequestRecord) => Fault | null = () => null,
) {
  const path = `/repos/${repo}/issues`;
  desk.github.hooks.onRequest = undefined;
  const { number } = await desk.api<{ number: number }>('POST', path, { title: 'Greet' });
  desk.github.hooks.onRequest = fault;
  await desk.api('POST', `${path}/${number}/labels`, { labels: ['spec'] });
  const { id: repository_id } = (await desk.github.state()).repos[repo]!;
  const read = () => desk.database.db('specs').where({ repository_id, issue_number: number }).first();
  await until(async () => (await read())?.status === 'failed');
  const spec = await read();
  await desk.settle();
  desk.github.hooks.onRequest = undefined;
  const issue = (await desk.github.state()).repos[repo]!.issues.find((one) => one.number === number)!;
  const notices = issue.comments.map(({ body }) => body).filter((body) => body.startsWith('@mona'));
  expect(notices).toHaveLength(1);
  expect(notices[0]).toContain('this spec could not start');
  expect(notices[0]).toContain('set it once more');
  expect(issue.comments).toHaveLength(2);
  expect(issue.labels).toContain('spec:failed');
  expect(await desk.database.db('sandboxes').where({ spec_id: spec.id })).toEqual([]);
  expect(spec).toMatchObject({ phase: null, branch_name: null });
  return notices[0];
}

async function repository(name: string, files: Record<string, string>) {
  const { fullName } = await desk.github.createRepository({ owner: 'acme', name, files });
  const { login } = desk.world.people.maintainer;
  desk.github.addCollaborator({ repo: fullName, login, permission: 'write' });
  return fullName;
}

describe('a spec does not start', () => {
  test('in a repository that was archived a moment ago', async () => {
    const full = await repository('attic', { 'README.md': '# Attic\n' });
    const body = await desk.api('GET', `/repos/${full}`);
    const words = await refused(full, ({ method, path }) =>
      method === 'GET' && path.endsWith(`/repos/${full}`)
        ? { status: 200, body: { ...body, archived: true } }
        : null,
    );
    expect(words).toContain('unarchive it first');
  });

  test('in an empty repository', async () => {
    expect(await refused(await repository('blank', {}))).toContain('push a first one');
  });

  test('from a base branch that does not exist', async () => {
    const full = await repository('based', { '.github/specwright.yml': 'base: develop\n' });
    expect(await refused(full)).toContain('`develop` does not exist');
  });

  test('under invalid settings, each of which is named', async () => {
    const full = await repository('wrong', {
      '.github/specwright.yml': `lable: x\nlimits:\n  tasks: 9999\n${desk.webhookSecret}: 1\n`,
    });
    const words = await refused(full);
    expect(words).toContain('`[censored]` is no known setting');
    expect(words).toContain('`lable` is no known setting');
    expect(words).toContain('`limits.tasks` may be at most 200');
  });

  test.each([
    ['forbids creating', { type: 'creation', branches: ['~ALL'] }],
    [
      'allows only other names',
      { type: 'branch_name_pattern', parameters: { operator: 'starts_with', pattern: 'JIRA-' } },
    ],
  ])('under a rule that %s', async (words, rule) => {
    desk.github.setRules(desk.world.repo.fullName, [rule]);
    expect(await refused()).toContain(`A rule ${words}`);
  });

  test('without a permission, which is named', async () => {
    const { id } = desk.world.installation;
    const granted = { metadata: 'read', contents: 'write', issues: 'write' };
    const row = { id, account_id: 1, account_login: 'acme', account_type: 'Organization' };
    await desk.database
      .db('installations')
      .insert({ ...row, permissions: JSON.stringify(granted) })
      .onConflict('id')
      .merge(['permissions']);
    const lacking = {
      id,
      account: { id: 1, login: 'acme', type: 'Organization' },
      permissions: granted,
      suspended_at: null,
    };
    const words = await refused(undefined, ({ method, path }) =>
      method === 'GET' && path === `/api/v3/app/installations/${id}` ? { status: 200, body: lacking } : null,
    );
    expect(words).toContain('lacks the permission "pull requests: write"');
    expect(words).not.toContain('"contents');
  });

  test('with an agent that is a command, where no settings name the command', async () => {
    await desk.app.stop();
    const app = await desk.startHere({ AGENT: 'command', AGENT_SCRIPT: '' });
    expect(await refused()).toContain('set `agentCommand`');
    await app.stop();
  });

  test('without a credential for the model of its agent, with the command that adds one', async () => {
    await desk.app.stop();
    const app = await desk.startHere({ AGENT: 'codex', AGENT_SCRIPT: '' });
    const { id } = desk.world.installation;
    const words = await refused();
    expect(words).toContain('has a credential for OpenAI');
    expect(words).toContain(`specwright credentials set --kind openai --installation ${id}`);
    await app.stop();
  });
});

describe('a spec may change workflows', () => {
  test('where its settings want it and its installation grants it, and nowhere else', async () => {
    const { db } = desk.database;
    const [id, repositoryId] = [9001, 9002];
    await db('installations').insert({ id, account_id: 9003, account_login: 'o', account_type: 'User' });
    await db('projects').insert({ repository_id: repositoryId, installation_id: id, owner: 'o', name: 'n' });
    const may = (workflows: boolean) => {
      const settings = { settings: { ...defaultSettings, workflows }, problems: [] };
      return mayChangeWorkflows(db, { repository_id: repositoryId, settings } as unknown as SpecRow);
    };
    const grant = (permissions: object) =>
      db('installations')
        .where({ id })
        .update({ permissions: JSON.stringify(permissions) });
    await grant({ contents: 'write' });
    expect([await may(true), await may(false)]).toEqual([false, false]);
    await grant({ contents: 'write', workflows: 'write' });
    expect([await may(true), await may(false)]).toEqual([true, false]);
  });
});

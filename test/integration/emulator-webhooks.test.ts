import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DeliveryRecord } from '../../src/emulator/emulator.ts';
import { type EmulatedGithub, startEmulatedGithub, WEBHOOK_SECRET } from '../harness/emulated-github.ts';
import { exampleDeliveries } from '../harness/webhook-examples.ts';

let github: EmulatedGithub;
let token: string;
let mona: string;

beforeAll(async () => {
  github = await startEmulatedGithub();
  token = await github.token();
  mona = github.demo.people.maintainer.token;
});

afterAll(() => github.close());

const REPO = '/repos/acme/greeter';

function comment(text: string) {
  return github.call(mona, `POST ${REPO}/issues/1/comments`, { body: text });
}

describe('a webhook', () => {
  test('is signed over its exact bytes and carries the headers of GitHub', async () => {
    await github.call(mona, `POST ${REPO}/issues`, { title: 'Größe 🎉' });
    await github.emulator.idle();
    const { headers, raw, payload } = github.received.at(-1)!;
    const mac = createHmac('sha256', WEBHOOK_SECRET).update(raw).digest('hex');
    expect(headers).toMatchObject({
      'x-github-event': 'issues',
      'x-hub-signature-256': `sha256=${mac}`,
      'x-github-delivery': expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      'x-github-hook-id': expect.stringMatching(/^\d+$/),
      'x-github-hook-installation-target-type': 'integration',
      'x-github-hook-installation-target-id': String(github.demo.app.id),
      'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
      'content-type': 'application/json',
    });
    expect(payload.issue.title).toBe('Größe 🎉');
  });

  test('leaves in the order of what happened, and its attempt is recorded', async () => {
    const before = Date.now();
    for (let at = 0; at < 20; at += 1) await comment(`Comment ${at}`);
    await github.emulator.idle();
    const bodies = github.received.slice(-20).map((one) => one.payload.comment.body);
    expect(bodies).toEqual(Array.from({ length: 20 }, (_, at) => `Comment ${at}`));
    const records = github.emulator.deliveries().slice(-20);
    for (const record of records) {
      expect(record).toMatchObject({
        event: 'issue_comment',
        action: 'created',
        status: 202,
        outcome: 'delivered',
      });
      expect(record.sentAt).toBeGreaterThanOrEqual(before);
    }
    expect(new Set(records.map((record) => record.guid)).size).toBe(20);
  });

  test('that the receiver refuses is not sent again until somebody asks, then under the same GUID', async () => {
    github.answer.status = 503;
    await comment('Refused');
    await github.emulator.idle();
    github.answer.status = 202;
    const failed = github.emulator.deliveries().at(-1)!;
    expect(failed).toMatchObject({ status: 503, outcome: 'failed', redelivery: false });
    await github.emulator.redeliver(failed.guid);
    expect(github.received.at(-1)?.headers['x-github-delivery']).toBe(failed.guid);
    expect(github.emulator.deliveries().at(-1)).toMatchObject({
      guid: failed.guid,
      redelivery: true,
      status: 202,
    });
  });

  test('can be lost, doubled or late by order of a test', async () => {
    const decide = (delivery: DeliveryRecord) => {
      const text = String((delivery.payload.comment as { body: string }).body);
      if (text === 'late') return { delayMs: 30 };
      return text === 'lost' ? 'drop' : text === 'doubled' ? 'duplicate' : 'send';
    };
    github.emulator.hooks.beforeSend = decide;
    for (const text of ['lost', 'doubled', 'late', 'plain']) await comment(text);
    await github.emulator.idle();
    github.emulator.hooks.beforeSend = undefined;
    const bodies = github.received.slice(-4).map((one) => one.payload.comment.body);
    expect(bodies).toEqual(['doubled', 'doubled', 'late', 'plain']);
    const [first, second] = github.received.slice(-4);
    expect(first?.headers['x-github-delivery']).toBe(second?.headers['x-github-delivery']);
    expect(github.emulator.deliveries().at(-4)).toMatchObject({ outcome: 'dropped', status: null });
  });

  test('can be overtaken by later ones, or only by time where there are none', async () => {
    const back: Record<string, number> = { first: 2, second: 1, last: 5 };
    github.emulator.hooks.beforeSend = ({ payload }) => {
      const held = back[String((payload.comment as { body: string }).body)];
      return held === undefined ? 'send' : { holdBack: held, atMostMs: held > 2 ? 20 : 10_000 };
    };
    for (const text of ['first', 'second', 'third', 'fourth', 'last']) await comment(text);
    await github.emulator.idle();
    github.emulator.hooks.beforeSend = undefined;
    const order = github.received.slice(-5).map((one) => one.payload.comment.body);
    expect(order).toEqual(['third', 'second', 'fourth', 'first', 'last']);
  });

  test('of any content can be posted by a test', async () => {
    const guid = 'f0000000-0000-4000-8000-000000000000';
    const status = await github.emulator.sendWebhook({
      appId: github.demo.app.id,
      event: 'ping',
      body: { zen: 'yes' },
      guid,
      headers: { 'x-hub-signature': '' },
    });
    expect(status).toBe(202);
    expect(github.received.at(-1)).toMatchObject({ event: 'ping', payload: { zen: 'yes' } });
    expect(github.received.at(-1)?.headers).not.toHaveProperty('x-hub-signature');
  });
});

describe('who hears what', () => {
  test('an App hears only events it subscribes to, and its installation always', async () => {
    const app = github.emulator.createApp({
      slug: 'quiet',
      name: 'Quiet',
      webhookSecret: 'x',
      permissions: { issues: 'read' },
      events: ['push'],
    });
    await github.emulator.installApp({ appId: app.id, account: 'acme', repositories: ['greeter'] });
    await comment('Not for you');
    await github.emulator.idle();
    const heard = github.emulator.deliveries().filter((one) => one.appId === app.id);
    expect(heard.map((one) => [one.event, one.action, one.outcome])).toEqual([
      ['installation', 'created', 'unsent'],
    ]);
  });

  test('every change of reach and name is told', async () => {
    await github.emulator.idle();
    const from = github.received.length;
    const { emulator, demo } = github;
    await emulator.createRepository({ owner: 'acme', name: 'moving', files: { a: 'a' } });
    await emulator.renameRepository('acme/moving', 'moved');
    await emulator.archiveRepository('acme/moved', true);
    await emulator.archiveRepository('acme/moved', false);
    await emulator.setPrivate('acme/moved', true);
    await emulator.setPrivate('acme/moved', false);
    await github.call(token, 'POST /repos/acme/moved/git/refs', {
      ref: 'refs/heads/trunk',
      sha: (await github.call(token, 'GET /repos/acme/moved/git/ref/heads/main')).body.object.sha,
    });
    await emulator.setDefaultBranch('acme/moved', 'trunk');
    emulator.createUser({ login: 'elsewhere', type: 'Organization' });
    await emulator.transferRepository('acme/moved', 'elsewhere');
    await emulator.createRepository({ owner: 'acme', name: 'doomed', files: { a: 'a' } });
    await emulator.deleteRepository('acme/doomed');
    emulator.suspendInstallation(demo.installation.id);
    await comment('Unheard');
    emulator.unsuspendInstallation(demo.installation.id);
    emulator.renameAccount('acme', 'acme-inc');
    emulator.renameAccount('acme-inc', 'acme');
    await emulator.idle();
    expect(github.names().slice(from)).toEqual([
      'installation_repositories.added',
      'repository.renamed',
      'repository.archived',
      'repository.unarchived',
      'repository.privatized',
      'repository.publicized',
      'create',
      'push',
      'repository.edited',
      'installation_repositories.removed',
      'installation_repositories.added',
      'repository.deleted',
      'installation.suspend',
      'installation.unsuspend',
      'installation_target.renamed',
      'installation_target.renamed',
    ]);
    const find = (action: string) =>
      github.received.findLast((one) => one.action === action && one.event === 'repository')?.payload;
    expect(find('renamed').changes).toEqual({ repository: { name: { from: 'moving' } } });
    expect(find('edited').changes).toEqual({ default_branch: { from: 'main' } });
    expect(github.received.at(-2)?.payload).toMatchObject({
      changes: { login: { from: 'acme' } },
      account: { login: 'acme-inc' },
    });
  });

  test('the new owner of a repository hears who gave it', async () => {
    const { emulator, demo } = github;
    emulator.createUser({ login: 'heir' });
    await emulator.installApp({ appId: demo.app.id, account: 'heir', repositories: 'all' });
    await emulator.createRepository({ owner: 'acme', name: 'heirloom', files: { a: 'a' } });
    await emulator.transferRepository('acme/heirloom', 'heir');
    await emulator.idle();
    expect(github.received.at(-1)).toMatchObject({
      event: 'repository',
      action: 'transferred',
      payload: {
        repository: { full_name: 'heir/heirloom' },
        changes: { owner: { from: { organization: { login: 'acme' } } } },
      },
    });
  });
});

describe('payloads', () => {
  // Fields that only other kinds of account, repository or hook have, or that GitHub has dropped since the examples were taken.
  const ABSENT = new Set([
    'milestone',
    'assignee',
    'enterprise',
    'organization',
    'installation',
    'custom_properties',
    'draft',
    'requester',
  ]);

  type Fields = Record<string, unknown>;

  function isObject(value: unknown): value is Fields {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }

  function missing(example: unknown, ours: unknown, path: string): string[] {
    if (!isObject(example) || !isObject(ours)) return [];
    return Object.keys(example).flatMap((key) => {
      if (ABSENT.has(key)) return [];
      return key in ours ? missing(example[key], ours[key], `${path}.${key}`) : [`${path}.${key}`];
    });
  }

  test('have every field that the published examples of GitHub have', async () => {
    await github.call(token, `POST ${REPO}/git/refs`, {
      ref: 'refs/heads/topic',
      sha: (await github.call(token, `GET ${REPO}/git/ref/heads/main`)).body.object.sha,
    });
    await github.call(token, `PUT ${REPO}/contents/new.txt`, {
      message: 'New',
      content: 'bmV3',
      branch: 'topic',
    });
    const { body } = await github.call(token, `POST ${REPO}/pulls`, {
      title: 'New',
      head: 'topic',
      base: 'main',
    });
    await github.call(mona, `POST ${REPO}/issues/1/labels`, { labels: ['bug', 'shape'] });
    await github.call(mona, `PUT ${REPO}/pulls/${body.number}/merge`);
    await github.call(mona, `DELETE ${REPO}/git/refs/heads/topic`);
    await github.emulator.idle();
    const wanted = [
      'issues.opened',
      'issues.labeled',
      'issue_comment.created',
      'label.created',
      'pull_request.opened',
      'pull_request.closed',
      'push',
      'create',
      'delete',
      'repository.renamed',
      'installation.created',
      'installation_repositories.added',
    ];
    const examples = exampleDeliveries();
    const gaps = wanted.map((name) => {
      const [event, action] = name.split('.');
      const example = examples.find((one) => one.name === event && one.payload.action === action)?.payload;
      const ours = github.received.find((one) => one.event === event && one.action === action);
      return [name, ours === undefined ? ['never sent'] : missing(example, ours.payload, '')];
    });
    expect(gaps).toEqual(wanted.map((name) => [name, []]));
  });
});

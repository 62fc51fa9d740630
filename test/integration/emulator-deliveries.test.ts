import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SendDecision } from '../../src/emulator/emulator.ts';
import { type Answer, type EmulatedGithub, pluck, startEmulatedGithub } from '../harness/emulated-github.ts';

let github: EmulatedGithub;

beforeAll(async () => {
  github = await startEmulatedGithub();
  await github.call(github.demo.people.maintainer.token, `POST ${REPO}/issues`, { title: 'One' });
  await github.emulator.idle();
});

beforeEach(() => {
  github.answer.status = 202;
});

afterAll(() => github.close());

const REPO = '/repos/acme/greeter';
const DAY_MS = 24 * 60 * 60 * 1000;

function asApp(request: string): Promise<Answer> {
  return github.call(github.jwt(), request);
}

/** Comments once, with this fate for the webhook, and gives back its delivery as GitHub lists it. */
async function comment(text: string, fate: SendDecision = 'send') {
  github.emulator.hooks.beforeSend = () => fate;
  await github.call(github.demo.people.maintainer.token, `POST ${REPO}/issues/1/comments`, { body: text });
  await github.emulator.idle();
  github.emulator.hooks.beforeSend = undefined;
  const { body } = await asApp('GET /app/hook/deliveries?per_page=1');
  return body[0];
}

describe('the deliveries of an App', () => {
  test('tell what became of each attempt, as far as GitHub knows', async () => {
    expect(await comment('Arrives')).toMatchObject({
      event: 'issue_comment',
      action: 'created',
      status: 'OK',
      status_code: 202,
      redelivery: false,
      throttled_at: null,
    });
    github.answer.status = 503;
    const refused = { status: 'Invalid HTTP Response: 503', status_code: 503 };
    expect(await comment('Refused')).toMatchObject(refused);
    github.answer.status = 202;
    const dropped = { status: 'failed to connect to host', status_code: 0 };
    expect(await comment('Dropped', 'drop')).toMatchObject(dropped);
    const heard = github.received.length;
    expect(await comment('Lost', 'lose')).toMatchObject({ status: 'OK', status_code: 200 });
    expect(github.received).toHaveLength(heard);
    const late = await comment('Late', { delayMs: 1 });
    expect(late).toMatchObject({ status_code: 202, throttled_at: expect.stringMatching(/Z$/) });
  });

  test('can be read one by one, with the request and what was answered', async () => {
    const { id, guid } = await comment('Read me');
    const { body } = await asApp(`GET /app/hook/deliveries/${id}`);
    expect(body).toMatchObject({
      guid,
      url: expect.stringMatching(/^http:/),
      request: { headers: { 'x-github-delivery': guid }, payload: { comment: { body: 'Read me' } } },
      response: { headers: { date: expect.any(String) } },
    });
    expect((await asApp('GET /app/hook/deliveries/1')).status).toBe(404);
  });

  test('are paged by a cursor and picked by status', async () => {
    for (let at = 0; at < 5; at += 1) await comment(`Page ${at}`, at % 2 === 0 ? 'drop' : 'send');
    const first = await asApp('GET /app/hook/deliveries?per_page=2');
    const next = /<[^>]*\/api\/v3([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1];
    const second = await asApp(`GET ${next}`);
    const all = await asApp('GET /app/hook/deliveries?per_page=4');
    expect(pluck([...first.body, ...second.body], 'id')).toEqual(pluck(all.body, 'id'));
    const failed = await asApp('GET /app/hook/deliveries?status=failure&per_page=3');
    expect(pluck(failed.body, 'status_code')).toEqual([0, 0, 0]);
    expect((await asApp('GET /app/hook/deliveries?status=odd')).status).toBe(422);
    expect((await asApp('GET /app/hook/deliveries?cursor=odd')).status).toBe(422);
    expect((await github.call(await github.token(), 'GET /app/hook/deliveries')).status).toBe(401);
  });

  test('can be sent again under the same GUID and a new id', async () => {
    const lost = await comment('Again', 'drop');
    expect((await asApp(`POST /app/hook/deliveries/${lost.id}/attempts`)).status).toBe(202);
    await github.emulator.idle();
    expect(github.received.at(-1)?.headers['x-github-delivery']).toBe(lost.guid);
    const [again] = (await asApp('GET /app/hook/deliveries?per_page=1')).body;
    expect(again).toMatchObject({ guid: lost.guid, redelivery: true, status: 'OK' });
    expect(again.id).toBeGreaterThan(lost.id);
  });

  test('are gone after three days', async () => {
    const lost = await comment('Gone', 'drop');
    github.emulator.advanceClock(3 * DAY_MS - 60_000);
    expect((await asApp(`GET /app/hook/deliveries/${lost.id}`)).status).toBe(200);
    github.emulator.advanceClock(61_000);
    expect((await asApp(`GET /app/hook/deliveries/${lost.id}`)).status).toBe(404);
    expect((await asApp(`POST /app/hook/deliveries/${lost.id}/attempts`)).status).toBe(404);
    expect((await asApp('GET /app/hook/deliveries')).body).toEqual([]);
  });
});

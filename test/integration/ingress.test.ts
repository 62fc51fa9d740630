import { createHmac, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { unpackBody } from '../../src/services/inbox/packing.ts';
import type { FreshDatabase } from '../harness/database.ts';
import { type IngressServer, SECRET, startFreshIngress, startIngress } from '../harness/ingress.ts';
import { chunkOf, headOf, type RawConnection, rawConnect } from '../harness/raw-http.ts';
import { until } from '../harness/until.ts';
import { sign, signedPost } from '../harness/webhook-examples.ts';

const BODY = JSON.stringify({ action: 'labeled', issue: { number: 1, title: 'canary-in-the-payload' } });

let fresh: FreshDatabase;
let server: IngressServer;

beforeAll(async () => {
  ({ fresh, server } = await startFreshIngress());
});
afterAll(() => server.close());

const post = (delivery: { guid?: string; body?: string | Buffer; headers?: Record<string, string> } = {}) =>
  signedPost(server.url, SECRET, { guid: randomUUID(), event: 'issues', body: BODY, ...delivery });
const stored = (guid: string) => fresh.db('deliveries').where({ guid });

test('a signed delivery is committed as it came and answered 202', async () => {
  const guid = randomUUID();
  expect(await post({ guid })).toBe(202);
  const [row] = await stored(guid);
  expect(row).toMatchObject({ event: 'issues', state: 'pending', lane: null });
  expect(unpackBody(row.bytes).toString()).toBe(BODY);
});

test('the same GUID again is answered 200 and changes nothing', async () => {
  const guid = randomUUID();
  expect(await post({ guid })).toBe(202);
  expect(await post({ guid, body: '{"other":true}' })).toBe(200);
  const rows = await stored(guid);
  expect(rows.map((row) => unpackBody(row.bytes).toString())).toEqual([BODY]);
});

test('of twenty simultaneous copies one is stored and nineteen are duplicates', async () => {
  const guid = randomUUID();
  const statuses = await Promise.all(Array.from({ length: 20 }, () => post({ guid })));
  expect(statuses.sort((a, b) => a - b)).toEqual([...Array<number>(19).fill(200), 202]);
  expect(await stored(guid)).toHaveLength(1);
});

test('deliveries that arrive while a commit is under way share the next ones', async () => {
  const guids = Array.from({ length: 200 }, () => randomUUID());
  let arrived = 0;
  server.app.server.on('request', () => {
    arrived += 1;
  });
  const answers = await fresh.db.transaction(async (trx) => {
    await trx.raw('lock table deliveries in access exclusive mode');
    const sent = guids.map((guid) => post({ guid }));
    await until(() => arrived === guids.length);
    return sent;
  });
  expect(new Set(await Promise.all(answers))).toEqual(new Set([202]));
  const rows = fresh.db('deliveries').whereIn('guid', guids);
  expect(await rows.clone()).toHaveLength(200);
  const commits = await rows.clone().distinct(fresh.db.raw('xmin::text'));
  expect(commits.length).toBeLessThan(60);
});

test('a signed body that is no JSON is stored all the same: nothing is parsed on the way', async () => {
  for (const body of ['not json', '', '[1]', Buffer.from([0xff, 0x00, 0xfe])]) {
    const guid = randomUUID();
    expect(await post({ guid, body })).toBe(202);
    expect(await stored(guid)).toHaveLength(1);
  }
});

describe('signatures', () => {
  const sha1 = `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`;
  const good = sign(BODY, SECRET);
  test.each([
    ['made with another secret', { 'x-hub-signature-256': sign(BODY, 'another secret') }],
    ['made for another body', { 'x-hub-signature-256': sign(`${BODY} `, SECRET) }],
    ['that is empty', { 'x-hub-signature-256': '' }],
    ['cut short', { 'x-hub-signature-256': good.slice(0, -2) }],
    ['that is longer', { 'x-hub-signature-256': `${good}00` }],
    ['without its prefix', { 'x-hub-signature-256': good.slice('sha256='.length) }],
    ['that is no hex', { 'x-hub-signature-256': `sha256=${'z'.repeat(64)}` }],
    ['of sha1 in the place of sha256', { 'x-hub-signature-256': sha1 }],
    ['of sha1 alone', { 'x-hub-signature-256': '', 'x-hub-signature': sha1 }],
  ])('one %s is refused with 401 and nothing is stored', async (_what, headers) => {
    const guid = randomUUID();
    expect(await post({ guid, headers })).toBe(401);
    expect(await stored(guid)).toEqual([]);
  });

  test('a missing one is refused with 401', async () => {
    const response = await fetch(server.url, {
      method: 'POST',
      body: BODY,
      headers: { 'x-github-delivery': randomUUID(), 'x-github-event': 'issues' },
    });
    expect(response.status).toBe(401);
    expect(await response.text()).toBe('bad signature\n');
  });

  test('ones by the current and by the previous secret are good, and an empty secret signs nothing', async () => {
    let secrets = ['current', 'previous'];
    const rotating = await startIngress(fresh.url, { secrets: () => secrets });
    const by = (secret: string) =>
      signedPost(rotating.url, secret, { guid: randomUUID(), event: 'issues', body: BODY });
    expect([await by('current'), await by('previous'), await by('older')]).toEqual([202, 202, 401]);
    secrets = ['current', ''];
    expect([await by('current'), await by('previous'), await by('')]).toEqual([202, 401, 401]);
    await rotating.close();
  });
});

describe('requests that are no delivery', () => {
  test.each([
    ['x-github-delivery', ''],
    ['x-github-delivery', 'not a guid'],
    ['x-github-event', ''],
    ['x-github-event', 'a'.repeat(101)],
  ])('with %s "%s" get 400', async (name, value) => {
    expect(await post({ headers: { [name]: value } })).toBe(400);
  });

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s gets 405', async (method) => {
    const response = await fetch(server.url, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('other paths are not touched', async () => {
    expect(await (await fetch(new URL('/elsewhere', server.url))).text()).toBe('here');
  });
});

describe('bodies', () => {
  const MIB = 1024 * 1024;

  test('of exactly 25 MiB are taken', async () => {
    const guid = randomUUID();
    expect(await post({ guid, body: Buffer.alloc(25 * MIB, 0x20) })).toBe(202);
    const [row] = await stored(guid);
    expect(unpackBody(row.bytes).length).toBe(25 * MIB);
  });

  test('that announce more get 413 before a byte is sent', async () => {
    const raw = rawRequest({ 'content-length': String(25 * MIB + 1) });
    expect(await raw.status).toBe(413);
    await raw.closed;
  });

  test('that turn out larger get 413 and the connection is closed, without more being read into memory', async () => {
    const raw = rawRequest({ 'transfer-encoding': 'chunked' });
    const before = process.memoryUsage().arrayBuffers;
    const chunk = Buffer.alloc(MIB, 0x20);
    let sent = 0;
    // Without end: only the server's answer stops it.
    while (raw.text() === '' && sent < 200 * MIB) {
      await new Promise((resolve) => raw.socket.write(chunkOf(chunk), resolve));
      sent += MIB;
    }
    expect(await raw.status).toBe(413);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * MIB);
    await raw.closed;
  });

  test('that come too slowly get 408', async () => {
    const slow = await startIngress(fresh.url, { limits: { timeoutMs: 100 } });
    const raw = rawRequest({ 'content-length': '100' }, slow.url);
    raw.socket.write('{');
    expect(await raw.status).toBe(408);
    await raw.closed;
    await slow.close();
  });

  test('whose sender hangs up leave nothing behind', async () => {
    const raw = rawRequest({ 'content-length': '100' });
    raw.socket.write('{');
    raw.socket.destroy();
    await raw.closed;
    expect(await post()).toBe(202);
  });

  /** A request whose head is sent by hand, so that its body can lie. */
  function rawRequest(headers: Record<string, string>, url = server.url): RawConnection {
    const raw = rawConnect(url);
    const head = {
      'x-github-delivery': randomUUID(),
      'x-github-event': 'issues',
      'x-hub-signature-256': sign('', SECRET),
    };
    raw.socket.write(headOf(url, { ...head, ...headers }));
    return raw;
  }
});

describe('when the database', () => {
  test('refuses connections, the answer is 503', async () => {
    const dead = await startIngress('postgres://nobody:nothing@127.0.0.1:1/none');
    expect(await signedPost(dead.url, SECRET, { guid: randomUUID(), event: 'issues', body: BODY })).toBe(503);
    await dead.close();
  });

  test('does not answer at all, the answers are 503 within 6 s, those that wait for a connection too', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const stuck = await startIngress(`postgres://nobody:nothing@127.0.0.1:${port}/none`);
    const began = performance.now();
    const send = () => signedPost(stuck.url, SECRET, { guid: randomUUID(), event: 'issues', body: BODY });
    const statuses = await Promise.all(Array.from({ length: 40 }, send));
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(performance.now() - began).toBeLessThan(6_000);
    for (const socket of sockets) socket.destroy();
    silent.close();
    await stuck.close();
  });

  test('is locked, the answer is 503 and never a 2xx for a row that is not there; the next try is stored', async () => {
    const guid = randomUUID();
    await fresh.db.transaction(async (trx) => {
      await trx.raw('lock table deliveries in access exclusive mode');
      expect(await post({ guid })).toBe(503);
    });
    const again = await post({ guid });
    expect([200, 202]).toContain(again);
    expect(await stored(guid)).toHaveLength(1);
  });

  test('takes long, requests of others on the same server are answered meanwhile', async () => {
    await fresh.db.transaction(async (trx) => {
      await trx.raw('lock table deliveries in access exclusive mode');
      const waiting = post();
      expect((await fetch(new URL('/elsewhere', server.url))).status).toBe(200);
      expect(await waiting).toBe(503);
    });
  });
});

test('answers and logs never hold a payload, a signature or the database’s words', async () => {
  const bodies: string[] = [];
  for (const headers of [{}, { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` }]) {
    bodies.push(
      await new Promise<string>((resolve, reject) => {
        const request = httpRequest(server.url, { method: 'POST' }, (response) => {
          response.setEncoding('utf8').on('data', resolve);
        });
        request.on('error', reject);
        const all = {
          'x-github-delivery': randomUUID(),
          'x-github-event': 'issues',
          'x-hub-signature-256': sign(BODY, SECRET),
        };
        for (const [name, value] of Object.entries({ ...all, ...headers })) request.setHeader(name, value);
        request.end(BODY);
      }),
    );
  }
  expect(bodies).toEqual(['accepted\n', 'bad signature\n']);
  const log = server.lines.join('');
  expect(log).toContain('deliveries not stored');
  for (const forbidden of [
    'canary-in-the-payload',
    sign(BODY, SECRET),
    SECRET,
    'insert into',
    'lock timeout',
  ])
    expect(log).not.toContain(forbidden);
});

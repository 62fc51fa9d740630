import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { EgressTarget } from '../../src/http/gateway/backend.ts';
import { type Rig, startRig } from '../harness/gateway-rig.ts';

let rig: Rig;
let outside: Server;
let port: number;
let refused: { target: EgressTarget; why: string }[];
let trusted: boolean;

beforeAll(async () => {
  outside = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data: Buffer) => socket.end(`heard ${data.toString()}`));
  });
  outside.listen(0, '127.0.0.1');
  await once(outside, 'listening');
  port = (outside.address() as AddressInfo).port;
  rig = await startRig();
  const judge = async (_: unknown, target: EgressTarget) => {
    if (['localhost', 'no-such-host.invalid'].includes(target.host))
      return { allowed: true, trusted } as const;
    refused.push({ target, why: 'not_allowed' });
    return { allowed: false } as const;
  };
  const noteRefused = async (_: unknown, target: EgressTarget, why: string) =>
    void refused.push({ target, why });
  rig.backend = { ...rig.backend, egress: { judge, noteRefused } };
});
afterAll(async () => {
  await rig.close();
  outside.close();
});
beforeEach(() => {
  refused = [];
  trusted = true;
});

const user = (generation: number | string) =>
  `Basic ${Buffer.from(`${generation}:sandbox`).toString('base64')}`;

/** Asks the sandbox's socket for a tunnel; answers the status, and the tunnel where there is one. */
async function tunnel(path: string, authorization: string | null = user(1)) {
  const headers = authorization === null ? {} : { 'proxy-authorization': authorization };
  const { socketPath } = rig;
  const request = http.request({ socketPath, method: 'CONNECT', path, headers }).end();
  const [reply, socket] = (await once(request, 'connect')) as [http.IncomingMessage, Socket];
  return { status: reply.statusCode, socket };
}

test('a host that is allowed is reached, and nothing of what is said is changed', async () => {
  const { status, socket } = await tunnel(`localhost:${port}`);
  expect(status).toBe(200);
  socket.write('hello');
  const [data] = (await once(socket, 'data')) as [Buffer];
  expect(data.toString()).toBe('heard hello');
  socket.destroy();
  expect(refused).toEqual([]);
});

test.each([
  ['another host', 'x.example:443', { host: 'x.example', port: 443 }],
  ['an address', '[2606:2800::1]:443', { host: '2606:2800::1', port: 443 }],
])('%s is refused and counted', async (_, path, target) => {
  expect((await tunnel(path)).status).toBe(403);
  expect(refused).toEqual([{ target, why: 'not_allowed' }]);
});

test("a name that leads into the operator's own network is refused, unless the operator trusts it", async () => {
  trusted = false;
  expect((await tunnel(`localhost:${port}`)).status).toBe(403);
  expect(refused).toEqual([{ target: { host: 'localhost', port }, why: 'private_address' }]);
});

test('a name that leads nowhere is said to', async () => {
  expect((await tunnel('no-such-host.invalid:443')).status).toBe(403);
  expect(refused).toMatchObject([{ why: 'no_such_host' }]);
});

test.each([
  ['an older sandbox', `localhost:1`, user(2), 410],
  ['a caller that names no generation', 'localhost:1', null, 407],
  ['a caller that names nonsense', 'localhost:1', user('x'), 407],
  ['a target that is none', 'localhost', user(1), 400],
  ['a port that is none', 'localhost:99999', user(1), 400],
])('%s is refused', async (_, path, authorization, status) => {
  expect((await tunnel(path, authorization)).status).toBe(status);
  expect(refused).toEqual([]);
});

test('a host that does not answer gives a clear end', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port: free } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  expect((await tunnel(`localhost:${free}`)).status).toBe(502);
});

test('plain HTTP to other hosts is refused and counted', async () => {
  const { socketPath } = rig;
  const headers = { host: 'x.example', 'proxy-authorization': user(1) };
  const request = http.request({ socketPath, path: 'http://x.example/secret?a=1', headers }).end();
  const [reply] = (await once(request, 'response')) as [http.IncomingMessage];
  expect(reply.statusCode).toBe(403);
  reply.resume();
  await once(reply, 'end');
  expect(refused).toEqual([{ target: { host: 'x.example', port: 80 }, why: 'not_allowed' }]);
});

test('tunnels and refusals hold no place once they are over, and never hold up the end of a sandbox', async () => {
  // More than may be open at once; each is hung up by its program.
  for (let n = 0; n < 300; n += 1) {
    const { status, socket } = await tunnel('other.example:443');
    expect(status).toBe(403);
    socket.destroy();
  }
  expect((await tunnel(`localhost:${port}`)).status).toBe(200);
  expect((await tunnel('other.example:443')).status).toBe(403);
  // Both stay open on the program's side, and the rig is closed around them.
});

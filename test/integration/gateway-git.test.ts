import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { FLUSH, packet } from '../../src/http/gateway/git/pkt.ts';
import { cloneThroughGateway, type GatewayClone } from '../harness/gateway-clone.ts';
import { CHECKPOINT, gitIn, HOST_TOKEN, type Rig, startRig } from '../harness/gateway-rig.ts';
import { until } from '../harness/until.ts';

const MIB = 2 ** 20;
const ZERO = '0'.repeat(40);

let rig: Rig;
let clone: GatewayClone;

beforeAll(async () => {
  rig = await startRig({ packBytes: 2 * MIB });
  clone = await cloneThroughGateway(rig);
});
beforeEach(() => {
  Object.assign(rig.ledger, { generation: 1, pushes: [], recordedSha: null, refusePush: null });
  rig.git.seen.length = 0;
  rig.git.intercept = null;
  gitIn(rig.bare, 'update-ref', '-d', CHECKPOINT);
  gitIn(clone.folder, 'reset', '--quiet', '--hard', rig.baseSha);
});
afterAll(() => rig.close());

test('a push to the checkpoint is recorded before it is forwarded and settled before it is answered', async () => {
  const sha = await clone.commit('one');
  const recorded: object[] = [];
  rig.git.intercept = (request) => {
    if (request.method === 'POST') recorded.push(...rig.ledger.pushes.map((push) => ({ ...push })));
    return false;
  };
  expect(await clone.git('push', '--quiet', clone.url, `HEAD:${CHECKPOINT}`)).toMatchObject({ code: 0 });
  expect(recorded).toMatchObject([{ oldSha: ZERO, newSha: sha, state: 'intended' }]);
  expect(rig.ledger.pushes.map(({ state }) => state)).toEqual(['accepted']);
  const next = await clone.commit('two');
  expect(await clone.git('push', '--quiet', clone.url, `HEAD:${CHECKPOINT}`)).toMatchObject({ code: 0 });
  expect(rig.ledger.pushes[1]).toMatchObject({ oldSha: sha, newSha: next, state: 'accepted' });
  expect(gitIn(rig.bare, 'rev-parse', CHECKPOINT)).toBe(next);
});

test.each([
  ['another branch', ['HEAD:refs/heads/main'], `only ${CHECKPOINT} may be pushed to`],
  ['a tag', ['HEAD:refs/tags/v1'], `only ${CHECKPOINT} may be pushed to`],
  ['a deletion', [`:${CHECKPOINT}`], 'deleting is not allowed'],
  ['a second ref along with it', [`HEAD~0:${CHECKPOINT}`, 'HEAD:refs/heads/x'], 'one ref at a time'],
])('%s is refused with a reason that git shows', async (_, refspecs, reason) => {
  await clone.commit('zero');
  expect(await clone.git('push', '--quiet', clone.url, `HEAD:${CHECKPOINT}`)).toMatchObject({ code: 0 });
  const recorded = gitIn(rig.bare, 'for-each-ref');
  await clone.commit('one');
  const { code, output } = await clone.git('push', clone.url, ...refspecs);
  expect(code).toBe(1);
  expect(output).toContain(`[remote rejected]`);
  expect(output).toContain(reason);
  expect(gitIn(rig.bare, 'for-each-ref')).toBe(recorded);
  expect(rig.ledger.pushes).toHaveLength(1);
});

test('a push over what was recorded is refused: history is not rewritten behind our back', async () => {
  await clone.commit('one');
  await clone.git('push', '--quiet', clone.url, `HEAD:${CHECKPOINT}`);
  rig.ledger.recordedSha = rig.baseSha;
  await clone.commit('two');
  const { output } = await clone.git('push', '--force', clone.url, `HEAD:${CHECKPOINT}`);
  expect(output).toContain('[remote rejected] HEAD -> refs/specwright/0123abcd');
  expect(output).toContain('not where the last recorded push left it');
});

test('a refusal by the app is shown by git and nothing is forwarded', async () => {
  rig.ledger.refusePush = 'no push is due now';
  await clone.commit('one');
  const { output } = await clone.git('push', clone.url, `HEAD:${CHECKPOINT}`);
  expect(output).toContain('(no push is due now)');
  expect(rig.git.seen.filter(({ method, url: path }) => method === 'POST' && /receive/.test(path))).toEqual(
    [],
  );
});

test('push options and signed pushes are refused', async () => {
  await clone.commit('one');
  const { output } = await clone.git('push', '-o', 'ci.skip', clone.url, `HEAD:${CHECKPOINT}`);
  expect(output).toContain('push options are not taken');
  const cert = Buffer.concat([
    packet('push-cert\0report-status side-band-64k\n'),
    packet('certificate version 0.1\n'),
    FLUSH,
  ]);
  const answer = await clone.push(cert);
  expect(answer.status).toBe(200);
  expect(rig.ledger.pushes).toEqual([]);
});

test.each(['acme/other', 'acme/shop/../other', '../acme/shop', 'acme/shop.git/x'])(
  'the repository path %s is not reached',
  async (name) => {
    const { code, output } = await clone.git('ls-remote', `${clone.gatewayUrl}/git/${name}.git`);
    expect(code).toBe(128);
    expect(output).toMatch(/its own repository only|no such address|smart HTTP, nothing else|not found/);
    expect(rig.git.seen.every(({ url: path }) => path.startsWith('/acme/shop.git/'))).toBe(true);
  },
);

test('dumb HTTP and unknown services are refused', async () => {
  for (const path of [
    '/HEAD',
    '/objects/info/packs',
    '/info/refs',
    '/info/refs?service=git-upload-archive',
  ]) {
    const answer = await clone.send({ method: 'GET', path });
    expect([path, answer.status]).toEqual([path, 403]);
    expect(answer.text).toContain('nothing else');
  }
});

test('a large push goes through in chunks after its probe, and one over the limit is refused in words', async () => {
  await clone.commit('big', randomBytes(1.5 * MIB));
  expect(await clone.git('push', '--quiet', clone.url, `HEAD:${CHECKPOINT}`)).toMatchObject({ code: 0 });
  await clone.commit('huge', randomBytes(5 * MIB));
  const { output } = await clone.git('push', clone.url, `HEAD:${CHECKPOINT}`);
  expect(output).toContain('the push is larger than 2 MiB');
  expect(rig.ledger.pushes.map(({ state }) => state)).toEqual(['accepted', 'refused']);
  expect(gitIn(rig.bare, 'rev-parse', CHECKPOINT)).toBe(gitIn(clone.folder, 'rev-parse', 'HEAD~1'));
});

test('gzip bodies pass: as they are for a fetch, read for a push', async () => {
  const listing = await clone.send({
    method: 'POST',
    path: '/git-upload-pack',
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      'content-encoding': 'gzip',
      'git-protocol': 'version=2',
    },
    body: gzipSync(Buffer.concat([packet('command=ls-refs\n'), FLUSH])),
  });
  expect(listing.text).toContain(`${rig.baseSha} refs/heads/main`);
  expect(rig.git.seen.at(-1)?.contentEncoding).toBe('gzip');

  const command = `${ZERO} ${gitIn(clone.folder, 'rev-parse', 'HEAD')} refs/heads/main\0report-status\n`;
  const answer = await clone.push(gzipSync(Buffer.concat([packet(command), FLUSH])), {
    'content-encoding': 'gzip',
  });
  expect(answer.text).toContain(`ng refs/heads/main only ${CHECKPOINT} may be pushed to`);
});

test('what follows a probe, a head that never ends and a broken gzip are unreadable', async () => {
  const endless = packet(`${ZERO} ${ZERO} refs/heads/${'x'.repeat(60_000)}\n`);
  const bodies: [Buffer, Record<string, string>][] = [
    [Buffer.concat([FLUSH, Buffer.from('PACK')]), {}],
    [Buffer.from('zzzz not a packet'), {}],
    [Buffer.concat(Array.from({ length: 20 }, () => endless)), {}],
    [Buffer.from('no gzip'), { 'content-encoding': 'gzip' }],
    [packet('half'), {}],
  ];
  for (const [body, headers] of bodies) {
    expect(await clone.push(body, headers)).toMatchObject({ status: 400 });
  }
  expect(await clone.push(FLUSH)).toMatchObject({ status: 200, text: '' });
  expect(rig.ledger.pushes).toEqual([]);
});

test('the credential of the sandbox is dropped and the token of the host never comes back', async () => {
  const answer = await clone.send({
    method: 'GET',
    path: '/info/refs?service=git-upload-pack',
    headers: { authorization: 'Basic mine' },
  });
  expect(answer.status).toBe(200);
  expect(JSON.stringify(answer)).not.toContain(HOST_TOKEN);
  expect(rig.git.seen.at(-1)?.authorization).toBe(HOST_TOKEN);
});

test('a token that the host does not know yet is tried again', async () => {
  let refusals = 1;
  rig.git.intercept = (_, response) => {
    if (refusals === 0) return false;
    refusals -= 1;
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end('Bad credentials');
    return true;
  };
  expect(await clone.git('ls-remote', '--quiet', clone.url, 'refs/heads/main')).toMatchObject({ code: 0 });
});

test('a host that breaks off after the pack leaves a push unknown, and its texts stay outside', async () => {
  await clone.commit('one');
  rig.git.intercept = (request, response) => {
    if (request.method !== 'POST') return false;
    request.resume().on('end', () => {
      response.writeHead(500).end('internal secret of the host');
    });
    return true;
  };
  const { code, output } = await clone.git('push', clone.url, `HEAD:${CHECKPOINT}`);
  expect(code).not.toBe(0);
  expect(output).toContain('HTTP 502');
  expect(output).not.toContain('secret');
  expect(rig.ledger.pushes.map(({ state }) => state)).toEqual(['unknown']);

  rig.git.intercept = (request) => {
    if (request.method !== 'POST') return false;
    request.resume().on('end', () => request.socket.destroy());
    return true;
  };
  expect(await clone.git('push', clone.url, `HEAD:${CHECKPOINT}`)).not.toMatchObject({ code: 0 });
  expect(rig.ledger.pushes.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
});

test('a host that denies the push is a refusal with its status', async () => {
  await clone.commit('one');
  rig.git.intercept = (request, response) => {
    if (request.method !== 'POST') return false;
    request.resume().on('end', () => response.writeHead(403).end('Resource not accessible'));
    return true;
  };
  const { output } = await clone.git('push', clone.url, `HEAD:${CHECKPOINT}`);
  expect(output).toContain('(the git host refused the push with status 403)');
  expect(rig.ledger.pushes.map(({ state }) => state)).toEqual(['refused']);
});

test('a refusal by the host is settled as refused and shown in its own words', async () => {
  await clone.commit('one');
  const hook = join(rig.bare, 'hooks', 'pre-receive');
  writeFileSync(hook, '#!/bin/sh\necho protected by rule 7 >&2\nexit 1\n', { mode: 0o755 });
  const { output } = await clone.git('push', clone.url, `HEAD:${CHECKPOINT}`);
  rmSync(hook);
  expect(output).toContain('protected by rule 7');
  expect(output).toContain('pre-receive hook declined');
  expect(rig.ledger.pushes.map(({ state }) => state)).toEqual(['refused']);
});

test('a sandbox that dies in the middle of its pack leaves nothing at the host and a settled record', async () => {
  const sha = await clone.commit('big', randomBytes(MIB));
  const head = Buffer.concat([packet(`${ZERO} ${sha} ${CHECKPOINT}\0report-status side-band-64k\n`), FLUSH]);
  const request = http.request(`${clone.url}/git-receive-pack`, {
    method: 'POST',
    headers: {
      'x-sandbox-generation': '1',
      'content-type': 'application/x-git-receive-pack-request',
      'content-length': 500_000,
    },
  });
  request.on('error', () => {});
  request.write(Buffer.concat([head, Buffer.from('PACK')]));
  await until(() => rig.ledger.pushes.length === 1);
  request.destroy();
  await until(() => rig.ledger.pushes[0]?.state === 'unknown');
  expect(gitIn(rig.bare, 'for-each-ref', CHECKPOINT)).toBe('');
});

test('a replaced sandbox is told so by every address', async () => {
  rig.ledger.generation = 2;
  const { output } = await clone.git('ls-remote', clone.url);
  expect(output).toContain('replaced or its spec is over');
});

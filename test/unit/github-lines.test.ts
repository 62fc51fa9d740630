import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createComment } from '../../src/github/comments.ts';
import { readRef } from '../../src/github/refs.ts';
import { failureOf, fixture, REPO, type Stage, stage } from '../harness/github-stage.ts';

/** Real sockets, since what is tested is how lines break. */
let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(undefined)));
  server = undefined;
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function served(answer: Answer, mint: Answer = mintToken): Promise<Stage> {
  server = createServer((request, response) => {
    (request.url?.endsWith('/access_tokens') ? mint : answer)(request, response);
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return stage({ host: `127.0.0.1:${port}`, protocol: 'http' });
}

function mintToken(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(201, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(fixture('access-token')));
}

const silence: Answer = () => undefined;
const reset: Answer = (request) => request.socket.resetAndDestroy();
const halfABody: Answer = (request, response) => {
  const body = JSON.stringify(fixture('comment'));
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': body.length });
  response.write(body.slice(0, 40), () => request.socket.resetAndDestroy());
};
const webPage: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  response.end('<html><body>Please log in</body></html>');
};
const invalidJson: Answer = (_request, response) => {
  response.writeHead(201, { 'content-type': 'application/json' });
  response.end('{"id": 10');
};

const write = ({ gh }: Pick<Stage, 'gh'>) => createComment(gh, REPO, { issue: 5, body: 'hello' });
const question = ({ gh }: Pick<Stage, 'gh'>) => readRef(gh, REPO, 'heads/trunk');

describe('a line that breaks', () => {
  test.each([
    ['before the answer', reset],
    ['within the answer', halfABody],
    ['where a proxy answers with a web page', webPage],
    ['where the answer is cut off', invalidJson],
  ])('%s leaves it open whether the write happened, and it is sent once', async (_where, answer) => {
    let sent = 0;
    const staged = await served((request, response) => {
      sent += 1;
      answer(request, response);
    });

    expect(await failureOf(write(staged))).toMatchObject({ kind: 'unavailable', ambiguous: true });
    expect(sent).toBe(1);
  });

  test('is tried once more for a question', async () => {
    let asked = 0;
    const staged = await served((request, response) => {
      asked += 1;
      if (asked === 1) return reset(request, response);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(fixture('ref')));
    });

    expect(await question(staged)).toMatchObject({ kind: 'found' });
  });

  test('is not tried a third time', async () => {
    let asked = 0;
    const staged = await served((request, response) => {
      asked += 1;
      reset(request, response);
    });

    expect(await failureOf(question(staged))).toMatchObject({ kind: 'unavailable', ambiguous: false });
    expect(asked).toBe(2);
    expect(staged.calls.map((call) => call.status)).toEqual([201, 0, 0]);
  });

  test('that was never there leaves nothing open', async () => {
    const staged = await served(silence, (request, response) => {
      mintToken(request, response);
      response.once('finish', () => {
        server?.close();
        server?.closeIdleConnections();
      });
    });
    await failureOf(question({ gh: staged.gh.within({ timeoutMs: 200 }) }));
    server?.closeAllConnections();

    expect(await failureOf(write(staged))).toMatchObject({ kind: 'unavailable', ambiguous: false });
  });
});

describe('a server that is silent', () => {
  test('ends a question at its deadline', async () => {
    const { gh } = await served(silence);
    const started = performance.now();

    const error = await failureOf(question({ gh: gh.within({ timeoutMs: 200 }) }));

    expect(error).toMatchObject({ kind: 'timeout', ambiguous: false });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('leaves it open whether a write happened', async () => {
    const { gh } = await served(silence);

    const error = await failureOf(write({ gh: gh.within({ timeoutMs: 200 }) }));

    expect(error).toMatchObject({ kind: 'timeout', ambiguous: true });
  });

  test('that never gives a token ends the call at its deadline, with nothing written', async () => {
    const { gh } = await served(silence, silence);

    const error = await failureOf(write({ gh: gh.within({ timeoutMs: 100 }) }));

    expect(error).toMatchObject({ kind: 'timeout', ambiguous: false });
  });

  test('holds nobody longer than the caller wants to wait', async () => {
    const stop = new AbortController();
    const { gh } = await served(() => stop.abort());

    const error = await failureOf(question({ gh: gh.within({ signal: stop.signal }) }));

    expect(error.kind).toBe('timeout');
  });
});

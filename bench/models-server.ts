/**
 * What `bench:models` measures against, each a process of its own: `node bench/models-server.ts MODE`. `provider`
 * streams replies of the size that a request's `x-bench-bytes` names; `pipe` passes everything on to the provider at
 * PROVIDER_URL and does nothing else.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** About what a model says in one write: a few events of some tokens each. */
const DELTA = `event: content_block_delta\ndata: ${JSON.stringify({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text: 'a few words of an answer ' },
})}\n\n`.repeat(8);

const event = (type: string, data: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
const usage = {
  input_tokens: 10,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  output_tokens: 1,
};
const START = event('message_start', { message: { id: 'msg_1', type: 'message', content: [], usage } });
const END = event('message_delta', { delta: {}, usage: { output_tokens: 10 } }) + event('message_stop', {});

function provider(request: IncomingMessage, response: ServerResponse): void {
  const bytes = Number(request.headers['x-bench-bytes'] ?? 0);
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(START);
    let left = Math.ceil(bytes / DELTA.length);
    const go = (): void => {
      while (left > 0) {
        left -= 1;
        if (!response.write(DELTA)) return void response.once('drain', go);
      }
      response.end(END);
    };
    go();
  });
}

function pipe(): Listener {
  const agent = new http.Agent({ keepAlive: true });
  const target = new URL(process.env.PROVIDER_URL!);
  return (request, response) => {
    const { method, url, headers } = request;
    const outgoing = http.request(target, { method, path: url, headers, agent }, (reply) => {
      response.writeHead(reply.statusCode!, reply.headers);
      reply.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    request.pipe(outgoing);
  };
}

const modes: Readonly<Record<string, () => Listener>> = { provider: () => provider, pipe };
const server = http.createServer(modes[process.argv[2] ?? '']!());
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});

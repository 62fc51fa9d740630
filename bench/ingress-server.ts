/**
 * What `bench:ingress` compares with, each a process of its own: `node bench/ingress-server.ts MODE` with DATABASE_URL
 * and WEBHOOK_SECRET. `noop` answers (the sender's own limit), `floor` is the least that commits before it answers,
 * `probot` is bare Probot, `probotInsert` the same with one insert in its handler.
 */
import { createHmac, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, zstdCompressSync } from 'node:zlib';
import pg from 'pg';
import { createNodeMiddleware, createProbot } from 'probot';

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const secret = process.env.WEBHOOK_SECRET!;

const modes: Readonly<Record<string, () => Promise<Listener>>> = {
  noop: async () => (request, response) => request.on('end', () => response.writeHead(202).end()).resume(),
  floor,
  probot: () => probot(async () => {}),
  async probotInsert() {
    const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
    return probot(async ({ id, name, payload }) => {
      const values = [id, name, JSON.stringify(payload)];
      await pool.query({ name: 'insert', text: INSERT_JSON, values });
    });
  },
};

const INSERT_JSON =
  'insert into deliveries (guid, event, payload) values ($1, $2, $3) on conflict do nothing';

type Received = { id: string; name: string; payload: unknown };

async function probot(handle: (event: Received) => Promise<void>): Promise<Listener> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const instance = createProbot({
    env: {
      APP_ID: '1',
      PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      WEBHOOK_SECRET: secret,
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
    },
  });
  const middleware = await createNodeMiddleware((app) => app.on('issues.labeled', handle), {
    probot: instance,
    webhooksPath: '/api/github/webhooks',
  });
  return (request, response) => void middleware(request, response, () => response.writeHead(404).end());
}

interface Waiting {
  readonly guid: string;
  readonly event: string;
  readonly bytes: Buffer;
  readonly response: ServerResponse;
}

/** Rows of one commit and commits at once, as in `services/inbox/accept.ts`. */
const MAX_ROWS = 16;
const MAX_COMMITS = 2;

/** node:http, HMAC, zstd, a commit of several rows, 202: no limit, no router, no log, no other index. */
async function floor(): Promise<Listener> {
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: MAX_COMMITS });
  const queue: Waiting[] = [];
  let commits = 0;
  let planned = false;
  const commit = async (rows: Waiting[]) => {
    commits += 1;
    const values = rows.flatMap(({ guid, event, bytes }) => [guid, event, bytes]);
    await pool.query({ name: `floor-${rows.length}`, text: insertOf(rows.length), values });
    for (const { response } of rows) response.writeHead(202, ACCEPTED).end('ok\n');
    commits -= 1;
    if (queue.length > 0) flush();
  };
  const flush = () => {
    planned = false;
    while (queue.length > 0 && commits < MAX_COMMITS) void commit(queue.splice(0, MAX_ROWS));
  };
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      const { headers } = request;
      if (!isSigned(body, headers['x-hub-signature-256'])) return void response.writeHead(401).end();
      const guid = String(headers['x-github-delivery']);
      const event = String(headers['x-github-event']);
      queue.push({ guid, event, bytes: compress(body), response });
      if (planned || commits >= MAX_COMMITS) return;
      planned = true;
      setImmediate(flush);
    });
  };
}

const ACCEPTED = { 'content-type': 'text/plain', 'content-length': '3' };

function insertOf(count: number): string {
  const tuples = Array.from({ length: count }, (_, i) => `($${3 * i + 1}, $${3 * i + 2}, $${3 * i + 3})`);
  return `insert into deliveries (guid, event, bytes) values ${tuples.join(', ')} on conflict do nothing`;
}

function isSigned(body: Buffer, header: unknown): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
  const given = Buffer.from(String(header));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function compress(body: Buffer): Buffer {
  return zstdCompressSync(body, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    pledgedSrcSize: body.length,
    chunkSize: 4096,
  });
}

const server = createServer(await modes[process.argv[2]!]!());
server.listen(0, '127.0.0.1', () =>
  process.stdout.write(`ready on ${(server.address() as AddressInfo).port}\n`),
);
process.once('SIGTERM', () => process.exit(0));

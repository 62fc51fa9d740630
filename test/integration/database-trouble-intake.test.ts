import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '../harness/database.ts';
import { type IngressServer, SECRET, startIngress } from '../harness/ingress.ts';
import { signedPost } from '../harness/webhook-examples.ts';

let fresh: FreshDatabase;
let server: IngressServer;

beforeAll(async () => {
  fresh = await freshDatabase();
  server = await startIngress(fresh.url);
});
afterAll(async () => {
  await server.close();
  await fresh.drop();
});

const post = (guid: string) =>
  signedPost(server.url, SECRET, { guid, event: 'star', body: '{"canary":"not-for-the-log"}' });

test.each([
  ['the disk is full', '53100'],
  ['memory is short', '53200'],
  ['the server shuts down', '57P01'],
  ['the database is read-only', '25006'],
  ['a page can not be read', 'XX001'],
])(
  'while %s every delivery is answered 503 and none is kept; afterwards each is taken',
  async (_what, code) => {
    const guids = Array.from({ length: 20 }, () => randomUUID());
    await fresh.db.raw(`
    create function trouble() returns trigger language plpgsql as $$ begin
      raise exception 'no more' using errcode = '${code}';
    end $$;
    create trigger trouble before insert on deliveries for each statement execute function trouble();
  `);
    expect(new Set(await Promise.all(guids.map(post)))).toEqual(new Set([503]));
    expect(await fresh.db('deliveries').whereIn('guid', guids)).toEqual([]);
    await fresh.db.raw('drop function trouble cascade');
    expect(new Set(await Promise.all(guids.map(post)))).toEqual(new Set([202]));
    expect(await fresh.db('deliveries').whereIn('guid', guids)).toHaveLength(20);
    expect(server.lines.join('')).toContain(code);
    for (const secret of ['not-for-the-log', 'no more']) expect(server.lines.join('')).not.toContain(secret);
  },
);

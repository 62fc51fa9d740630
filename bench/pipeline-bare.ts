/**
 * What `bench:pipeline` compares with: `node bench/pipeline-bare.ts LANES` with DATABASE_URL. Each connection takes the
 * first deliveries of so many lanes that nobody has, marks them, and counts each in a row of its lane, in one
 * transaction; nothing is routed, unpacked, parsed or asked.
 */
import pg from 'pg';
import { DELIVERIES_CHANNEL } from '../src/db/deliveries.ts';

/** As many as a worker's pool has. */
const CONNECTIONS = 12;
const POLL_MS = 250;

const LANES = Number(process.argv[2]);
const LOOK_AT = 20 * LANES;

const CLAIM =
  LANES === 1
    ? `select guid, lane, bytes from deliveries
       where state = 'pending' and pg_try_advisory_xact_lock(hashtextextended(lane, 7)) order by seq limit 1`
    : `select guid, lane, bytes from (
         select distinct on (lane) guid, lane, bytes, seq from (
           select guid, lane, bytes, seq from deliveries where state = 'pending' order by seq limit ${LOOK_AT}) oldest
         order by lane, seq) first
       where pg_try_advisory_xact_lock(hashtextextended(lane, 7)) limit ${LANES}`;
const MARK = `update deliveries set state = 'handled', finished_at = now()
  where guid = any ($1) and state = 'pending' returning lane`;
const UPSERT = `insert into counted (lane, deliveries) select lane, 1 from unnest($1::text[]) as marked (lane)
  on conflict (lane) do update set deliveries = counted.deliveries + 1`;

const connectionString = process.env.DATABASE_URL;
const idle = new Set<() => void>();

function wake(): void {
  for (const go of idle) go();
  idle.clear();
}

async function work(client: pg.Client): Promise<never> {
  for (;;) {
    await client.query('begin');
    const { rows } = await client.query<{ guid: string; lane: string }>({ name: 'claim', text: CLAIM });
    if (rows.length > 0) {
      const values = [rows.map(({ guid }) => guid)];
      const marked = await client.query<{ lane: string }>({ name: 'mark', text: MARK, values });
      const lanes = marked.rows.map(({ lane }) => lane);
      await client.query({ name: 'upsert', text: UPSERT, values: [lanes] });
    }
    await client.query('commit');
    if (rows.length === 0) await rest();
  }
}

async function rest(): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, POLL_MS);
    idle.add(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

async function open(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return client;
}

const listener = await open();
listener.on('notification', wake);
await listener.query(`listen ${DELIVERIES_CHANNEL}`);
for (let i = 0; i < CONNECTIONS; i += 1) void work(await open());
process.once('SIGTERM', () => process.exit(0));
process.stdout.write('ready\n');

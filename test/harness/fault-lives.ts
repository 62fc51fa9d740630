import { setTimeout as delay } from 'node:timers/promises';
import type { SpecRow } from '../../src/db/specs.ts';
import type { Running } from '../../src/main.ts';
import { advanceAlone } from '../../src/services/spec/advance.ts';
import { carryOut } from '../../src/services/spec/commands.ts';
import { acceptDemoArtifacts } from './artifacts.ts';
import type { FaultClock } from './fault-clock.ts';
import type { House } from './fault-houses.ts';
import type { Line } from './line.ts';

/** What the database says of a house now. */
interface Standing {
  readonly repository_id: number;
  readonly spec: SpecRow | null;
  readonly open: boolean;
}

/** Specs get no sandbox here: a row stands for one, and the work is done for it. */
export async function pretendSandboxes(line: Line, workerId: string): Promise<void> {
  await line.database.db.raw(`
    create function pretend() returns trigger language plpgsql as $$ begin
      insert into sandboxes (id, spec_id, provider, repository, owner, generation, state, isolated, heartbeat_at)
        values (gen_random_uuid(), new.id, 'none', 'x/y', '${workerId}', 1000, 'running', true, now() + interval '9 years')
        on conflict do nothing;
      return new;
    end $$;
    create trigger pretend after update of status on specs for each row
      when (new.status in ('planning', 'executing')) execute function pretend();
    create function pretend_end() returns trigger language plpgsql as $$ begin
      if new.state = 'closing' then new.state := 'gone'; end if;
      return new;
    end $$;
    create trigger pretend_end before update on sandboxes for each row execute function pretend_end();
  `);
}

const POLL_MS = 25;

/** Labels every issue and brings each spec as far as it comes; resolves when nothing moves any more. */
export async function liveThrough(
  at: { line: Line; app: Running; clock: FaultClock },
  houses: readonly House[],
  maxJumpedSeconds: number,
): Promise<{ unfinished: House[]; jumps: number }> {
  const { line, clock } = at;
  const done = new Set<string>();
  const once = async (key: string, work: () => Promise<unknown>) => {
    if (done.has(key)) return;
    done.add(key);
    await work();
  };
  await inParallel(houses, (house) => label(line, house));
  let jumps = 0;
  let seen = -1;
  let still = 0;
  for (const started = clock.jumped; ; await delay(POLL_MS)) {
    // Before the look at what is going on: a webhook that arrives now begins work, which no jump may cut in two.
    await line.github.idle();
    const standings = await readStandings(line, houses);
    for (const house of houses) {
      const { spec } = standings.get(house.repositoryId)!;
      if (spec?.status === 'planning') await once(`${spec.id} work`, () => finishWork(at, house, spec));
      if (spec?.status === 'in_review') await once(`${spec.id} merge`, () => merge(line, house, spec));
    }
    const unfinished = houses.filter((house) => !isFinished(standings.get(house.repositoryId)!));
    const requests = houses.reduce((sum, house) => sum + house.requests, 0) + done.size;
    const busy = requests !== seen || (await clock.busy());
    seen = requests;
    still = busy ? 0 : still + 1;
    if (still < 2) continue;
    if (unfinished.length === 0 || clock.jumped - started > maxJumpedSeconds) return { unfinished, jumps };
    await clock.jump();
    jumps += 1;
    still = 0;
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 8 }, next));
}

const label = (line: Line, { fullName, issue }: House) =>
  line.api('POST', `/repos/${fullName}/issues/${issue}/labels`, { labels: ['spec'] });

async function merge(line: Line, { fullName }: House, spec: SpecRow): Promise<void> {
  await line.api('PUT', `/repos/${fullName}/pulls/${spec.pull_request_number}/merge`, {});
}

/** Does what a sandbox would have done: a commit on the hidden ref, and every artifact accepted. */
async function finishWork(at: { line: Line; app: Running }, house: House, spec: SpecRow): Promise<void> {
  const { line, app } = at;
  const path = `/repos/${house.fullName}`;
  const sha = await commitOnCheckpoint(line, path, spec);
  const { deps } = app.opened;
  await acceptDemoArtifacts(deps.db, spec.id);
  const verifying = { status: 'executing', phase: 'verify', attempt: 1, checkpoint_sha: sha };
  await deps.db('specs').where({ id: spec.id }).update(verifying);
  await deps.db.transaction((trx) =>
    carryOut(deps, { trx, delivery: null }, { spec, command: { do: 'publish_artifacts' } }),
  );
  await advanceAlone(deps, { specId: spec.id, input: { type: 'verified', command: null } });
}

async function commitOnCheckpoint(line: Line, path: string, spec: SpecRow): Promise<string> {
  const side = `side-${spec.id.slice(0, 8)}`;
  await line.api('POST', `${path}/git/refs`, { ref: `refs/heads/${side}`, sha: spec.base_sha });
  const file = { message: 'Work', content: Buffer.from(spec.id).toString('base64'), branch: side };
  const { commit } = await line.api<{ commit: { sha: string } }>('PUT', `${path}/contents/work.txt`, file);
  const ref = `refs/specwright/${spec.id.slice(0, 8)}`;
  await line.api('POST', `${path}/git/refs`, { ref, sha: commit.sha });
  await line.api('DELETE', `${path}/git/refs/heads/${side}`);
  return commit.sha;
}

async function readStandings(line: Line, houses: readonly House[]): Promise<Map<number, Standing>> {
  const ids = houses.map(({ repositoryId }) => repositoryId);
  const { rows } = await line.database.db.raw(
    `select ids.id as repository_id, to_jsonb(spec) as spec,
       exists (select from effects where repository_id = ids.id and state = 'pending')
       or exists (select from deliveries where state = 'pending'
         and (lane is null or lane like 'repo:' || ids.id || '#%' or lane = 'repo:' || ids.id))
       or exists (select from pgboss.job where state in ('created', 'retry', 'active')
         and (data ->> 'specId' = spec.id::text or data ->> 'key' like 'spec/' || spec.id || '/%')) as open
     from unnest(?::bigint[]) as ids (id)
     left join lateral (select * from specs where repository_id = ids.id order by created_at desc limit 1) spec
       on true`,
    [ids],
  );
  return new Map(
    (rows as Standing[]).map((row) => [
      Number(row.repository_id),
      { ...row, spec: row.spec?.id ? row.spec : null },
    ]),
  );
}

const MOVING = ['queued', 'planning', 'executing', 'publishing', 'in_review'];

function isFinished({ spec, open }: Standing): boolean {
  return !open && (spec === null || !MOVING.includes(spec.status));
}

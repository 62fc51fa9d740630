import { readdirSync, readFileSync } from 'node:fs';
import type { SpecRow } from '../../src/db/specs.ts';
import type { RepositoryState } from '../../src/emulator/snapshot.ts';
import { packet } from '../../src/http/gateway/git/pkt.ts';
import { checkpointRef } from '../../src/services/branches/name.ts';
import type { House, Plan } from './fault-houses.ts';
import { judge, type Verdict } from './fault-verdict.ts';
import type { NamedFault } from './faults.ts';
import type { Line } from './line.ts';
import { until } from './until.ts';

const below = (method: string, path: string) => `${method} /{owner}/{repo}.git${path}`;

/** The calls of the gateway to the git host: what a fetch asks, and what a push asks. */
export const gitSites = [
  below('GET', '/info/refs?service=git-upload-pack'),
  below('POST', '/git-upload-pack'),
  below('GET', '/info/refs?service=git-receive-pack'),
  below('POST', '/git-receive-pack'),
] as const;

const SOURCE = new URL('../../src/http/gateway/git/', import.meta.url);

/** Every route that the gateway's source asks of the git host, sorted; `calls` counts the requests that are begun. */
export function gatewayRoutes(): { routes: string[]; calls: number } {
  const texts = readdirSync(SOURCE).map((file) => readFileSync(new URL(file, SOURCE), 'utf8'));
  const all = texts.join('\n');
  const services = /service=\(([\w|-]+)\)/.exec(all)?.[1]?.split('|') ?? [];
  const named = [...all.matchAll(/path: [`'](\/[\w/-]+)(\$\{search\})?[`'],\s+method: '([A-Z]+)'/g)];
  const routes = named.flatMap(([, path = '', search, method = '']) =>
    search === undefined
      ? [below(method, path)]
      : services.map((service) => below(method, `${path}?service=${service}`)),
  );
  const calls = all.match(/= openUpstream\(/g)?.length ?? 0;
  return { routes: [...new Set(routes)].toSorted(), calls: calls === named.length ? calls : -1 };
}

/** Longer than the gateway waits for a host that says nothing; milliseconds. */
const SILENT_MS = 125_000;
const PAGE = '<!doctype html><html><body><h1>Unicorn!</h1></body></html>';
const status = (code: number, headers: Record<string, string> = {}): NamedFault => ({
  name: String(code),
  of: () => ({ status: code, body: 'No.\n', headers: { 'content-type': 'text/plain', ...headers } }),
});

/** What goes wrong between the gateway and the git host; the first lives of `gitLives` lose answers to pushes. */
export const gitFaults: readonly NamedFault[] = [
  { name: 'HTML body', of: () => ({ status: 200, body: PAGE, headers: { 'content-type': 'text/html' } }) },
  status(401),
  status(404),
  status(500),
  { name: 'reset mid-body', afterCommit: true, of: () => ({ after: 'half' }) },
  status(502),
  status(503),
  status(403),
  { name: 'late answer', of: () => ({ delayMs: 1500 }) },
  status(429, { 'retry-after': '1' }),
  {
    name: '301',
    of: ({ record, apiUrl }) => ({ redirect: `${new URL(apiUrl).origin}${record.path}` }),
  },
  { name: 'reset before commit', of: () => ({ before: 'reset' }) },
  { name: 'reset after commit', afterCommit: true, of: () => ({ after: 'reset' }) },
  { name: 'HTML body after commit', afterCommit: true, of: () => ({ after: 200, body: PAGE }) },
  { name: 'empty 200', afterCommit: true, of: () => ({ after: 200, body: '' }) },
  { name: '502 after commit', afterCommit: true, of: () => ({ after: 502, body: 'No.\n' }) },
];

/** Faults that take two minutes each. */
const silences: readonly NamedFault[] = [
  { name: 'silence', of: () => ({ delayMs: SILENT_MS }) },
  { name: 'silence after commit', afterCommit: true, of: () => ({ after: 'reset', lateMs: SILENT_MS }) },
];

/** Lives in which the host falls silent once, in each call before it was done and after. */
export function gitSilences(): Plan[] {
  return silences.flatMap((fault) =>
    gitSites.map((route) => ({ name: `${route}: ${fault.name}`, faults: [{ route, fault, times: 1 }] })),
  );
}

/** Lives in which every call goes wrong once, each in another way: `count` of them, or as many as there are faults. */
export function gitLives(count = gitFaults.length): Plan[] {
  return gitFaults.slice(0, count).map((_, life) => ({
    name: `life ${life}`,
    faults: gitSites.map((route, at) => ({
      route,
      fault: gitFaults[(life + at * 4) % gitFaults.length]!,
      times: 1,
    })),
  }));
}

/** A push whose answer is lost, and which the host then denies knowing of: git pushes again, and is refused. */
export const deniedPush: Plan = {
  name: 'a push that the host denies knowing of',
  faults: [
    { route: gitSites[3], fault: gitFaults.find(({ name }) => name === 'reset after commit')!, times: 1 },
  ],
};

/** Lets the host of `house` list only its base, once, to whoever pushes again after a lost answer. */
export async function listLate(line: Line, house: House): Promise<void> {
  const { hooks } = line.github;
  const base = (await line.github.state()).repos[house.fullName]!.branches.main!;
  const before = hooks.onRequest;
  let listed = false;
  hooks.onRequest = (record) => {
    const again = house.struck[0] === 1 && record.route === gitSites[2];
    if (listed || !again || !record.path.startsWith(`/${house.fullName}.git/`)) return before?.(record);
    listed = true;
    return { status: 200, body: advertisement(base), headers: { 'content-type': ADVERTISEMENT } };
  };
}

const ADVERTISEMENT = 'application/x-git-receive-pack-advertisement';

function advertisement(sha: string): string {
  const capabilities = 'report-status side-band-64k ofs-delta object-format=sha1 agent=git/2.39.0';
  const lines = ['# service=git-receive-pack\n', `${sha} refs/heads/main\0${capabilities}\n`];
  const [head, refs] = lines.map((text) => packet(text).toString());
  return `${head}0000${refs}0000`;
}

/** One fault of each kind: the others of a kind are treated alike for good. */
const FOR_GOOD = ['401', '403', '404', '429', '502', 'reset after commit', 'HTML body', 'empty 200'];

/** Each call with one fault of each kind that never ends. */
export function gitForGood(): Plan[] {
  const kinds = gitFaults.filter(({ name }) => FOR_GOOD.includes(name));
  return gitSites.flatMap((route) =>
    kinds.map((fault) => ({
      name: `${route}: ${fault.name}, for good`,
      route,
      faults: [{ route, fault, times: Number.POSITIVE_INFINITY }],
    })),
  );
}

/** Labels every house's issue and brings each spec to its merge, or to where it ends; judges each in the end. */
export async function liveWithGit(line: Line, houses: readonly House[], ms: number): Promise<Verdict[]> {
  const { db } = line.database;
  const specOf = ({ repositoryId }: House): Promise<SpecRow | undefined> =>
    db('specs').where({ repository_id: repositoryId }).first();
  const wrong = new Map<House, string[]>();
  for (const { fullName, issue } of houses)
    await line.api('POST', `/repos/${fullName}/issues/${issue}/labels`, { labels: ['spec'] });
  await Promise.all(
    houses.map(async (house) => {
      await until(async () => ENDED.includes((await specOf(house))?.status ?? ''), ms).catch(() => {});
      const spec = await specOf(house);
      if (spec?.status !== 'in_review') return;
      const { repos } = await line.github.state();
      wrong.set(house, await wrongInReview(line, { repo: repos[house.fullName]!, spec }));
      await line.api('PUT', `/repos/${house.fullName}/pulls/${spec.pull_request_number}/merge`, {});
    }),
  );
  await settle(line);
  const { repos } = await line.github.state();
  return Promise.all(
    houses.map(async (house) => {
      const spec = (await specOf(house)) ?? null;
      const verdict = judge(house, { repo: repos[house.fullName]!, spec });
      const left = await leftOf(line, house, spec);
      return { ...verdict, wrong: [...verdict.wrong, ...(wrong.get(house) ?? []), ...left] };
    }),
  );
}

const ENDED = ['in_review', 'failed', 'pr_failed', 'merged', 'cancelled', 'closed'];

async function settle(line: Line): Promise<void> {
  const { db } = line.database;
  const open = async () => {
    await line.github.idle();
    const { rows } = await db.raw(
      `select exists (select from deliveries where state = 'pending') or exists (select from effects where state = 'pending')
         or exists (select from sandboxes where state <> 'gone')
         or exists (select from specs where status = 'in_review' or status_published_version < version) as open`,
    );
    return rows[0].open;
  };
  await until(async () => !(await open()), 60_000);
}

interface Reviewed {
  readonly repo: RepositoryState;
  readonly spec: SpecRow;
}

/** Every task is one commit, branch and checkpoint stand at the last one, and nothing was taken twice. */
async function wrongInReview(line: Line, { repo, spec }: Reviewed): Promise<string[]> {
  const path = `/repos/${repo.fullName}/pulls/${spec.pull_request_number}/commits`;
  const commits = await line.api<{ sha: string; commit: { message: string } }[]>('GET', path);
  const named = commits.map(({ sha, commit }) => `${/^Task: (\S+)$/m.exec(commit.message)?.[1]} ${sha}`);
  const { db } = line.database;
  const tasks = await db('tasks').where({ spec_id: spec.id }).orderBy('ordinal');
  const recorded = tasks.map((task) => `${task.id} ${task.commit_sha}`);
  const pushes = await db('pushes').where({ spec_id: spec.id });
  const accepted = pushes.filter(({ state }) => state === 'accepted').map(({ new_sha: sha }) => sha);
  const shas = commits.map(({ sha }) => sha);
  const holds = (what: string, so: boolean) => (so ? [] : [what]);
  return [
    ...holds(`commits ${named.join(', ')}; tasks ${recorded.join(', ')}`, String(named) === String(recorded)),
    ...holds('the checkpoint is elsewhere', repo.hiddenRefs[checkpointRef(spec.id)] === shas.at(-1)),
    ...holds('the branch is elsewhere', repo.branches[spec.branch_name!] === shas.at(-1)),
    ...holds('the record is elsewhere', spec.checkpoint_sha === shas.at(-1)),
    ...holds(
      `pushes ${pushes.map((push) => push.state).join(', ')}`,
      shas.every((sha) => accepted.includes(sha)) &&
        pushes.every(({ state }) => state === 'accepted' || state === 'refused'),
    ),
  ];
}

async function leftOf(line: Line, house: House, spec: SpecRow | null): Promise<string[]> {
  const { db } = line.database;
  const tokens = line.github
    .installationTokens()
    .filter((token) => token.live && String(token.asked) === 'contents');
  const rows = spec ? await db('sandboxes').where({ spec_id: spec.id }).whereNot({ state: 'gone' }) : [];
  return [
    ...(tokens.length > 0 ? [`${tokens.length} git tokens live on`] : []),
    ...rows.map(({ state }) => `a sandbox of ${house.fullName} is ${state}`),
  ];
}

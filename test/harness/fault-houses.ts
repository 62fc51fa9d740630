import type { Fault, RequestRecord } from '../../src/emulator/emulator.ts';
import type { FaultClock } from './fault-clock.ts';
import type { NamedFault } from './faults.ts';
import type { Line } from './line.ts';
import { until } from './until.ts';

/** What goes wrong in one spec's life: faults by route, each striking so often. */
export interface Plan {
  readonly name: string;
  /** The call that never succeeds, if there is one. */
  readonly route?: string;
  /** The installation's permissions are not on record. */
  readonly forgotten?: true;
  readonly faults: readonly {
    readonly route: string;
    readonly fault: NamedFault;
    readonly times: number;
  }[];
}

/** One account with its own installation, repository and issue, so that many lives go on side by side. */
export interface House {
  readonly plan: Plan;
  readonly fullName: string;
  readonly repositoryId: number;
  readonly installationId: number;
  readonly issue: number;
  /** How often each fault of the plan has struck. */
  readonly struck: number[];
  /** Requests of ours that came while GitHub had asked for none. */
  readonly early: string[];
  /** How many requests of ours there were. */
  requests: number;
}

const FILES = {
  'README.md': '# Greeter\n',
  '.github/pull_request_template.md': '## What changes\n\n- [ ] Tests\n',
};
/** A request that was on its way when the limit was told; milliseconds. */
const ON_ITS_WAY_MS = 150;

/** Builds a house and opens its issue. */
export async function buildHouse(line: Line, plan: Plan, number: number): Promise<House> {
  const owner = `house${number}`;
  const { github, world } = line;
  github.createUser({ login: owner, type: 'Organization' });
  const repo = await github.createRepository({ owner, name: 'greeter', files: FILES });
  github.addCollaborator({ repo: repo.fullName, login: world.people.maintainer.login, permission: 'write' });
  const installed = { appId: world.app.id, account: owner, repositories: 'all' } as const;
  const { installationId } = await github.installApp(installed);
  if (plan.faults.some(({ route }) => route.endsWith('/git/commits'))) {
    github.setRules(repo.fullName, [{ type: 'required_signatures', branches: ['spec/**'] }]);
  }
  if (plan.forgotten) await forgetPermissions(line, installationId);
  const title = { title: `Greet people ${number}`, body: 'Say good morning.' };
  const { number: issue } = await line.api<{ number: number }>(
    'POST',
    `/repos/${repo.fullName}/issues`,
    title,
  );
  const counts = { struck: plan.faults.map(() => 0), early: [], requests: 0 };
  return { plan, fullName: repo.fullName, repositoryId: repo.id, installationId, issue, ...counts };
}

async function forgetPermissions(line: Line, installationId: number): Promise<void> {
  const rows = () => line.database.db('installations').where({ id: installationId });
  await until(async () => (await rows().update({ permissions: '{}' })) === 1);
}

/** Lets each house's faults strike the App's requests for it, and notes requests in a time of silence. */
export function strikeHouses(line: Line, houses: readonly House[], now: FaultClock['now']): void {
  const quiet = new Map<number, { from: number; until: number }>();
  line.github.hooks.onRequest = (record) => {
    const house = houses.find((one) => isOf(one, record));
    if (!house) return null;
    house.requests += 1;
    const asApp = record.actor.kind === 'app';
    const key = asApp ? 0 : house.installationId;
    const silence = quiet.get(key);
    if (silence && now().latest < silence.until && Date.now() > silence.from) house.early.push(record.route);
    const struck = strike(house, record, line.github.apiUrl);
    if (struck?.named.quietSeconds) {
      // The App may have noted a limit told during a jump by the time before it.
      const until = now().earliest + struck.named.quietSeconds * 1000 - 1500;
      quiet.set(key, { from: Date.now() + ON_ITS_WAY_MS, until });
    }
    return struck?.fault ?? null;
  };
}

function isOf(house: House, { actor, path }: RequestRecord): boolean {
  if (actor.kind === 'installation') return actor.installationId === house.installationId;
  return actor.kind === 'app' && path.includes(`/installations/${house.installationId}`);
}

function strike(
  house: House,
  record: RequestRecord,
  apiUrl: string,
): { named: NamedFault; fault: Fault } | undefined {
  for (const [index, { route, fault, times }] of house.plan.faults.entries()) {
    if (record.route !== route || house.struck[index]! >= times) continue;
    house.struck[index]! += 1;
    return { named: fault, fault: fault.of({ record, apiUrl, repositoryId: house.repositoryId }) };
  }
  return undefined;
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Play, Script } from '../../src/agent/script.ts';
import { lostWebhooks, warmStarts } from './crash-rig.ts';
import { type Line, launchApp, openLine, quickScript } from './line.ts';
import type { Random } from './random.ts';
import { liftWriteBudget } from './write-budget.ts';

type Role = 'all' | 'web' | 'worker';
type Child = ReturnType<typeof launchApp>;

/** A line of several processes, any of which can be killed, and people who go on meanwhile. */
export interface KillRig extends Line {
  /** Stops what runs and starts these. */
  cast(roles: readonly Role[]): Promise<void>;
  /** Kills one process and starts it again; what GitHub could not deliver meanwhile is sent again. */
  killOne(random: Random): Promise<void>;
  /** Lets the processes work for so many milliseconds. */
  pass(ms: number): Promise<void>;
  /** Where a spec waits for people, they merge it, or first push a commit of their own. */
  actAsPeople(issue: number, how: { commits: string[]; pushes: boolean }): Promise<void>;
  isOver(issue: number): Promise<boolean>;
  endOf(issue: number): Promise<string | undefined>;
}

/** Long enough that a kill meets the agent at work now and then. */
const AGENT_MS = 50;

/** Each task adds a line to a file of its own: another spec of the repository has something new to give as well. */
function newWorkEachTime(): Script {
  const { phases, tasks } = quickScript(AGENT_MS);
  const added = Object.keys(tasks).map((id): [string, Play] => [
    id,
    { delayMs: AGENT_MS, edits: [{ path: `work/${id}.md`, append: 'One more.\n' }] },
  ]);
  return { phases, tasks: Object.fromEntries(added) };
}

export async function openKillRig(): Promise<KillRig> {
  const line = await openLine({ script: newWorkEachTime() });
  await liftWriteBudget(line.database.db);
  const warm = warmStarts(line.folder);
  const cast = new Map<string, { role: Role; child: Child }>();
  const start = (role: Role): { role: Role; child: Child } => ({
    role,
    child: launchApp({ ...line.env, ...warm, ROLE: role }, line.logFile),
  });
  const stop = async (child: Child, signal: NodeJS.Signals) => {
    child.kill(signal);
    await child.exited;
  };
  const hear = async (child: Child) => {
    line.github.setWebhookUrl(line.world.app.id, `${await child.ready}/api/github/webhooks`);
    await line.github.idle();
    for (const guid of lostWebhooks(line)) await line.github.redeliver(guid);
  };
  const rowOf = (issue: number) => line.database.db('specs').where({ issue_number: issue }).first();
  const path = `/repos/${line.world.repo.fullName}`;
  return {
    ...line,
    async cast(roles) {
      await Promise.all([...cast.values()].map(({ child }) => stop(child, 'SIGTERM')));
      cast.clear();
      roles.forEach((role, index) => void cast.set(`${role}${index}`, start(role)));
      const ears = [...cast.values()].find(({ role }) => role !== 'worker')!;
      await Promise.all([...cast.values()].map(({ child }) => child.ready));
      await hear(ears.child);
    },
    async killOne(random) {
      const name = random.pick([...cast.keys()]);
      const { role, child } = cast.get(name)!;
      await stop(child, 'SIGKILL');
      // The emulated GitHub answers what the dead process had sent.
      await line.github.state();
      const next = start(role);
      cast.set(name, next);
      if (role !== 'worker') await hear(next.child);
    },
    pass: (ms) => delay(ms),
    async actAsPeople(issue, { commits, pushes }) {
      const spec = await rowOf(issue);
      if (spec?.status !== 'in_review') return;
      if (pushes) {
        const content = Buffer.from(`${commits.length}\n`).toString('base64');
        const file = { message: 'docs: a note', content, branch: spec.branch_name };
        const made = await line.api<{ commit: { sha: string } }>(
          'PUT',
          `${path}/contents/note-${commits.length}-${issue}.txt`,
          file,
        );
        commits.push(made.commit.sha);
        return;
      }
      const { pulls } = (await line.github.state()).repos[line.world.repo.fullName]!;
      if (pulls.find(({ number }) => number === spec.pull_request_number)?.merged) return;
      await line.api('PUT', `${path}/pulls/${spec.pull_request_number}/merge`, {});
    },
    isOver: async (issue) => (await rowOf(issue))?.ended_at != null,
    endOf: async (issue) => (await rowOf(issue))?.status,
    async close() {
      await Promise.all([...cast.values()].map(({ child }) => stop(child, 'SIGKILL')));
      await line.close();
    },
  };
}

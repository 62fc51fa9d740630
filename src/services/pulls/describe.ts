import { listRefusals } from '../../db/egress-refusals.ts';
import { listDoneRuns } from '../../db/runs.ts';
import { newestSandbox } from '../../db/sandboxes.ts';
import type { SpecRow } from '../../db/specs.ts';
import { FatalError } from '../../errors.ts';
import type { StepResult } from '../../runner/protocol.ts';
import { describeAgents } from '../agents/choose.ts';
import type { GateReport } from '../branches/report.ts';
import type { Deps } from '../deps.ts';
import { publishedSha } from '../spec/published-sha.ts';
import { loadWork } from '../spec/work.ts';
import { pullBody, type Verification } from './body.ts';
import { changeType, pullTitle } from './title.ts';

/** More hosts than anybody reads of. */
const MOST_HOSTS = 30;

/** Title and body of the pull request, from what the database holds. */
export async function describePull(deps: Deps, spec: SpecRow): Promise<{ title: string; body: string }> {
  const work = await loadWork(deps.db, spec);
  const { requirements } = work.artifacts;
  if (!requirements) throw new FatalError(`spec ${spec.id} has no requirements`);
  const sandbox = await newestSandbox(deps.db, spec.id);
  const type = changeType({ type: spec.issue_type, labels: spec.issue_labels });
  return {
    title: pullTitle({ type, title: spec.title }),
    body: pullBody({
      issueNumber: spec.issue_number,
      specId: spec.id,
      requester: spec.requester_login,
      requirements,
      tasks: work.tasks.map((task) => ({
        id: task.id,
        title: task.title,
        requirements: task.requirements,
        sha: publishedSha(spec, task.row.commit_sha),
      })),
      verification: await lastVerification(deps, spec, work.settings.verify),
      deviations: [],
      refusals: [],
      gate: spec.gate as GateReport | null,
      refusedHosts: await listRefusals(deps.db, spec.id, MOST_HOSTS),
      template: spec.pull_template,
      agent: describeAgents(deps.agents, work.settings),
      sandbox: { provider: sandbox?.provider ?? 'none', isolated: sandbox?.isolated ?? true },
    }),
  };
}

async function lastVerification(
  deps: Deps,
  spec: SpecRow,
  command: string | null,
): Promise<Verification | null> {
  if (command === null) return null;
  const runs = await listDoneRuns(deps.db, spec.id, 'verify:');
  const result = runs.map((run) => run.result as StepResult).find((one) => one.kind === 'command');
  if (!result) return null;
  return { command, code: result.code, timedOut: result.timedOut, outputTail: result.outputTail };
}

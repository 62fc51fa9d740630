import type { WatchedSpec } from '../../../db/reconciled.ts';
import { type PullFacts, readIssueFacts, readPullFacts } from '../../../github/facts.ts';
import type { Account } from '../../../github/inventory.ts';
import { listBranches, listOpenPulls, type OpenPull } from '../../../github/open-work.ts';
import { isLive, type Status } from '../../spec/states.ts';
import { type Fact, ghost } from './fact.ts';
import type { Place } from './place.ts';

/** What the pull requests of specs tell: opened, moved, closed, merged, opened again. */
export async function pullFacts(place: Place, specs: readonly WatchedSpec[]): Promise<Fact[]> {
  const concerned = specs.filter(mayHavePull);
  if (concerned.length === 0) return [];
  const { items, complete } = await listOpenPulls(place.github, place);
  const facts: Fact[] = [];
  for (const spec of concerned) {
    const open = items.find((pull) => isOf(place, pull, spec));
    const fact = open ? await ofOpen(place, spec, open) : complete ? await ofMissing(place, spec) : null;
    if (fact) facts.push(fact);
  }
  return facts;
}

function mayHavePull(spec: WatchedSpec): boolean {
  return spec.pull_request_number !== null || (awaitsPull(spec) && spec.branch_name !== null);
}

function awaitsPull({ status }: WatchedSpec): boolean {
  return status === 'publishing' || status === 'pr_failed';
}

function isOf({ repo }: Place, pull: OpenPull, spec: WatchedSpec): boolean {
  if (spec.pull_request_number !== null) return pull.number === spec.pull_request_number;
  return pull.headRef === spec.branch_name && pull.headRepositoryId === repo.repositoryId;
}

async function ofOpen(place: Place, spec: WatchedSpec, open: OpenPull): Promise<Fact | null> {
  const change = changeOf(spec, open);
  if (!change) return null;
  const { github, repo, memory } = place;
  const pull = await readPullFacts(github, { repo, memory, number: open.number });
  if (pull === 'missing' || pull.state !== 'open') return null;
  return fact(place, spec, { ...change, pull, sender: pull.user ?? ghost });
}

function changeOf(spec: WatchedSpec, open: OpenPull): Pick<Fact, 'action' | 'key'> | null {
  if (spec.pull_request_number === null) return { action: 'opened', key: [open.number] };
  if (spec.status === 'closed') return { action: 'reopened', key: [spec.ended_at?.toISOString() ?? null] };
  const moved = isLive(spec.status as Status) && open.headSha !== spec.head_sha;
  return moved ? { action: 'synchronize', key: [open.headSha] } : null;
}

async function ofMissing(place: Place, spec: WatchedSpec): Promise<Fact | null> {
  const number = spec.pull_request_number;
  if (number === null) return null;
  const { github, repo, memory } = place;
  const pull = await readPullFacts(github, { repo, memory, number });
  if (pull === 'missing' || pull.state === 'open') return null;
  const action = 'closed';
  if (pull.merged) {
    return fact(place, spec, { action, key: ['merged'], pull, sender: pull.merged_by ?? ghost });
  }
  if (!isLive(spec.status as Status)) return null;
  return fact(place, spec, { action, key: [pull.closed_at], pull, sender: await closerOf(place, number) });
}

/** Who closed it is told by its side as an issue only. */
async function closerOf({ github, repo }: Place, number: number): Promise<Account> {
  const issue = await readIssueFacts(github, { repo, number });
  return typeof issue === 'string' ? ghost : (issue.closed_by ?? ghost);
}

function fact(
  place: Place,
  spec: WatchedSpec,
  told: Pick<Fact, 'action' | 'key'> & { pull: PullFacts; sender: Account },
): Fact {
  const { action, key, pull, sender } = told;
  const payload = place.payload({ number: pull.number, pull_request: pull, sender });
  return { event: 'pull_request', action, about: `spec/${spec.id}`, key, payload };
}

/** Branches of live specs that are not there any more. */
export async function branchFacts(place: Place, specs: readonly WatchedSpec[]): Promise<Fact[]> {
  const made = specs.filter(({ status, has_branch: has }) => has && isLive(status as Status));
  if (made.length === 0) return [];
  const names = new Set(await listBranches(place.github, place, 'spec'));
  return made
    .filter((spec) => !names.has(spec.branch_name!))
    .map((spec) => ({
      event: 'delete',
      action: null,
      about: `spec/${spec.id}`,
      key: [spec.branch_name, spec.head_sha],
      payload: place.payload({ ref: spec.branch_name, ref_type: 'branch', sender: ghost }),
    }));
}

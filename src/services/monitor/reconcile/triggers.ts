/**
 * Labels that nobody told us of: an open issue carries the trigger label and has no spec. A label needs a person who
 * vouches for it, so GitHub's record of who set it and when decides, and the ordinary handler asks for that person's
 * permission. The label vouches for the text as it was then: where the text may have changed since, by somebody who
 * may not start a spec, the person is asked to set the label once more.
 */
import { listReceived, listRequestTimes, type WatchedSpec } from '../../../db/reconciled.ts';
import { type IssueFacts, readIssueFacts } from '../../../github/facts.ts';
import type { Account } from '../../../github/inventory.ts';
import { type LabelChange, readLastLabelChange } from '../../../github/issue-events.ts';
import type { OpenIssue } from '../../../github/open-work.ts';
import { readPermission } from '../../../github/permissions.ts';
import type { Deps } from '../../deps.ts';
import { laneOf } from '../../inbox/lane.ts';
import { readPayload } from '../../inbox/read.ts';
import { isLive, type Status } from '../../spec/states.ts';
import type { Fact } from './fact.ts';
import type { Place } from './place.ts';

/** Who labelled an issue longer ago has moved on. */
const OLDEST_MS = 7 * 86_400_000;
/** Asked about in one pass; the rest in the next ones. */
const MOST_ASKED = 50;
/** GitHub dates the label and the issue's change apart by up to a second. */
const SAME_MS = 2000;

export interface TriggerPass {
  readonly specs: readonly WatchedSpec[];
  readonly open: readonly OpenIssue[];
  readonly since: Date;
  readonly judged: Readonly<Record<string, string>>;
  readonly now: Date;
  /** A younger label may be on its way. */
  readonly graceSeconds: number;
}

/** Requests that were missed, and which issues need no second look until they change. */
export async function triggerFacts(
  deps: Deps,
  place: Place,
  pass: TriggerPass,
): Promise<{ facts: Fact[]; judged: Record<string, string> }> {
  const live = new Set(pass.specs.filter(isAtWork).map(({ issue_number: number }) => number));
  const requested = await listRequestTimes(deps.db, place.repo.repositoryId);
  const facts: Fact[] = [];
  const judged: Record<string, string> = {};
  let asked = 0;
  // Those that never had a spec come first: nobody has heard of them at all.
  const open = pass.open.toSorted((a, b) => +requested.has(a.number) - +requested.has(b.number));
  for (const { number, updatedAt } of open) {
    if (live.has(number)) continue;
    const after = requested.get(number);
    const unchanged = after !== undefined && new Date(updatedAt) <= after;
    if (unchanged || pass.judged[number] === updatedAt) judged[number] = updatedAt;
    else if (asked++ < MOST_ASKED) {
      const verdict = await judge(deps, place, { pass, number, after });
      if (verdict === 'later') continue;
      judged[number] = updatedAt;
      if (verdict) facts.push(verdict);
    }
  }
  return { facts, judged };
}

/** A label on one whose pull request could not be opened asks for another try. */
function isAtWork({ status }: WatchedSpec): boolean {
  return isLive(status as Status) && status !== 'pr_failed';
}

async function judge(
  deps: Deps,
  place: Place,
  { pass, number, after }: { pass: TriggerPass; number: number; after: Date | undefined },
): Promise<Fact | 'later' | null> {
  const { github, repo, label } = place;
  const change = await readLastLabelChange(github, repo, { issue: number, label, change: 'labeled' });
  // It was in the list a moment ago: one of the two answers is wrong.
  if (change === 'missing') return 'later';
  if (!change?.actor) return null;
  const at = new Date(change.at);
  const age = pass.now.getTime() - at.getTime();
  if (at < pass.since || age > OLDEST_MS || (after && at <= after)) return null;
  if (age < pass.graceSeconds * 1000) return 'later';
  if (await wasReceived(deps, place, { number, at })) return null;
  const issue = await readIssueFacts(github, { repo, number });
  if (typeof issue === 'string') return 'later';
  if (issue.state !== 'open') return null;
  return request(place, {
    issue,
    change,
    actor: change.actor,
    vouched: await isVouched(place, issue, change),
  });
}

/** The event came, whatever became of it: refused, obsolete, parked. One without its body is too old to be told apart. */
async function wasReceived(
  deps: Deps,
  { repo, label }: Place,
  { number, at }: { number: number; at: Date },
): Promise<boolean> {
  const lane = laneOf({ repository: { id: repo.repositoryId }, issue: { number } });
  const bodies = await listReceived(deps.db, { lane, event: 'issues', action: 'labeled', since: at });
  return bodies.some((bytes) => {
    const payload = readPayload(bytes) as
      | { label?: { name?: unknown }; issue?: { updated_at?: unknown } }
      | undefined;
    if (!payload) return true;
    const told = Date.parse(String(payload.issue?.updated_at));
    return payload.label?.name === label && !(told < at.getTime() - SAME_MS);
  });
}

async function isVouched(place: Place, issue: IssueFacts, change: LabelChange): Promise<boolean> {
  if (Date.parse(issue.updated_at) <= Date.parse(change.at) + SAME_MS) return true;
  const author = issue.user;
  if (author === null) return false;
  if (author.id === change.actor?.id) return true;
  const { permission } = await readPermission(place.github, place.repo, author.login);
  return ['write', 'maintain', 'admin'].includes(permission);
}

function request(
  place: Place,
  found: { issue: IssueFacts; change: LabelChange; actor: Account; vouched: boolean },
): Fact {
  const { issue, change, actor, vouched } = found;
  // The second in which it was set is over: the same label told late is older than this request.
  const at = new Date(Date.parse(change.at) + 1000).toISOString();
  return {
    event: 'issues',
    action: 'labeled',
    about: `issue/${place.repo.repositoryId}/${issue.number}`,
    key: [change.id],
    payload: place.payload({
      issue: { ...issue, updated_at: at },
      label: { name: place.label },
      sender: actor,
      vouched,
    }),
  };
}

import type { WatchedSpec } from '../../../db/reconciled.ts';
import { type IssueFacts, readIssueFacts } from '../../../github/facts.ts';
import { readLastLabelChange } from '../../../github/issue-events.ts';
import type { Listing, OpenIssue } from '../../../github/open-work.ts';
import type { SpecSettings } from '../../spec/start.ts';
import { isLive, type Status } from '../../spec/states.ts';
import { type Fact, ghost } from './fact.ts';
import type { Place } from './place.ts';

/**
 * Specs whose issue is not among the open ones with their label: it was closed, or the label was taken away, or it is
 * gone. Asks GitHub about those only.
 */
export async function issueFacts(
  place: Place,
  specs: readonly WatchedSpec[],
  open: Listing<OpenIssue>,
): Promise<Fact[]> {
  const present = new Set(open.items.map(({ number }) => number));
  const facts: Fact[] = [];
  for (const spec of specs) {
    const live = isLive(spec.status as Status);
    if (!live && spec.status !== 'failed') continue;
    if (labelOf(spec) === place.label && present.has(spec.issue_number)) continue;
    const fact = await issueFact(place, { spec, live });
    if (fact) facts.push(fact);
  }
  return facts;
}

function labelOf(spec: WatchedSpec): string {
  return (spec.settings as SpecSettings).settings.label;
}

async function issueFact(
  place: Place,
  { spec, live }: { spec: WatchedSpec; live: boolean },
): Promise<Fact | null> {
  const { github, repo } = place;
  const issue = await readIssueFacts(github, { repo, number: spec.issue_number });
  const about = `spec/${spec.id}`;
  if (typeof issue === 'string') {
    const action = issue === 'moved' ? 'transferred' : 'deleted';
    const gone = { number: spec.issue_number, title: '', state: 'closed' };
    return {
      event: 'issues',
      action,
      about,
      key: [],
      payload: place.payload({ issue: gone, sender: ghost }),
    };
  }
  if (issue.state !== 'open') return closed(place, about, issue);
  const label = labelOf(spec);
  if (!live || issue.labels.some(({ name }) => name === label)) return null;
  return unlabeled(place, about, { issue, label });
}

function closed(place: Place, about: string, issue: IssueFacts): Fact {
  const sender = issue.closed_by ?? ghost;
  return {
    event: 'issues',
    action: 'closed',
    about,
    key: [issue.closed_at],
    payload: place.payload({ issue, sender }),
  };
}

async function unlabeled(
  place: Place,
  about: string,
  { issue, label }: { issue: IssueFacts; label: string },
): Promise<Fact> {
  const asked = { issue: issue.number, label, change: 'unlabeled' as const };
  const found = await readLastLabelChange(place.github, place.repo, asked);
  const change = found === 'missing' ? undefined : found;
  const sender = change?.actor ?? ghost;
  return {
    event: 'issues',
    action: 'unlabeled',
    about,
    key: [change?.id ?? issue.updated_at],
    payload: place.payload({ issue, label: { name: label }, sender }),
  };
}

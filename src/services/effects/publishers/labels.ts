import type { SpecRow } from '../../../db/specs.ts';
import { addLabels, removeLabel } from '../../../github/labels.ts';
import type { Deps } from '../../deps.ts';
import { stateLabels } from '../../spec/rule-parts.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

/** Labels show a state: one that was asked for late, when the spec had moved on, would tell something wrong. */
function belongs({ status }: SpecRow, label: string): boolean {
  if (status === 'failed') return label === stateLabels.failed;
  return status === 'in_review' && label === stateLabels.inReview;
}

/** Adding a label that is there already changes nothing at GitHub. */
export async function addLabel(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  const label = String(publishing.effect.payload.label);
  if (!belongs(spec, label)) return notNeeded;
  await addLabels(deps.github, publishing.repo, { issue: spec.issue_number, labels: [label] });
  return { kind: 'done', externalId: null };
}

/** A label that people removed first counts as removed. */
export async function dropLabel(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  const label = String(publishing.effect.payload.label);
  if (belongs(spec, label)) return notNeeded;
  await removeLabel(deps.github, publishing.repo, { issue: spec.issue_number, label });
  return { kind: 'done', externalId: null };
}

const notNeeded: Published = { kind: 'done', externalId: 'not needed: the spec has moved on' };

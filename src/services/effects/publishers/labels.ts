import { addLabels, removeLabel } from '../../../github/labels.ts';
import type { Deps } from '../../deps.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

/** Adding a label that is there already changes nothing at GitHub. */
export async function addLabel(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  const label = String(publishing.effect.payload['label']);
  await addLabels(deps.github, publishing.repo, { issue: spec.issue_number, labels: [label] });
  return { kind: 'done', externalId: null };
}

/** A label that people removed first counts as removed. */
export async function dropLabel(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  const label = String(publishing.effect.payload['label']);
  await removeLabel(deps.github, publishing.repo, { issue: spec.issue_number, label });
  return { kind: 'done', externalId: null };
}

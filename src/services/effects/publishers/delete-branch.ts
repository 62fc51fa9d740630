import { crashPoint } from '../../../crash-point.ts';
import { readBranch } from '../../../github/branches.ts';
import { listPullsWithBase, listPullsWithHead } from '../../../github/pulls.ts';
import { deleteRef } from '../../../github/refs.ts';
import type { Deps } from '../../deps.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

/**
 * Deletes the branch that we created, if nothing else needs it: its sha is the one that ended the spec, no other
 * open pull request has it as head or base, and nothing protects it. A branch that is kept counts as settled; the
 * reason stands in the effect's external id.
 */
export async function deleteBranch(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  const { repo } = publishing;
  const branch = spec.branch_name!;
  const there = await readBranch(deps.github, repo, branch);
  if (there.kind === 'missing') return { kind: 'done', externalId: 'gone already' };
  if (there.protected) return kept('it is protected');
  if (there.sha !== (spec.head_sha ?? spec.base_sha))
    return kept('it has commits that are not in the pull request');
  const [asHead, asBase] = await Promise.all([
    listPullsWithHead(deps.github, repo, branch),
    listPullsWithBase(deps.github, repo, branch),
  ]);
  const others = [...asHead, ...asBase].filter((pull) => pull.number !== spec.pull_request_number);
  if (others.length > 0) return kept(`pull request #${others[0]!.number} uses it`);
  const gone = await deleteRef(deps.github, repo, `heads/${branch}`);
  crashPoint('ref.deleted');
  if (gone.kind === 'refused') return { kind: 'refused', cause: gone.message, again: true };
  return { kind: 'done', externalId: gone.kind };
}

function kept(why: string): Published {
  return { kind: 'done', externalId: `kept: ${why}` };
}

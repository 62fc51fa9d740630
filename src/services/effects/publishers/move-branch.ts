import { crashPoint } from '../../../crash-point.ts';
import { isBranchPending } from '../../../db/effects.ts';
import { annotateSpec } from '../../../db/specs.ts';
import { createRef, moveRef, readRef } from '../../../github/refs.ts';
import type { Deps } from '../../deps.ts';
import { waitingSha } from '../../spec/publish-approval.ts';
import { mayChangeWorkflows } from '../../spec/work.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';
import { publishedHead } from './signed-commits.ts';

/**
 * Moves the public branch to the checked commit, or to what GitHub signed in its place, fast-forward only. GitHub's update has no "expected sha", so the
 * branch is read first: anything but the base, our last head or the target means that a person pushed to it, and
 * their work is never overwritten.
 */
export async function moveBranch(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  if (spec.status !== 'publishing')
    return { kind: 'done', externalId: 'not needed: nothing is published now' };
  if (waitingSha(spec) !== null)
    return { kind: 'done', externalId: 'not needed: the work waits for an approval' };
  const { repo } = publishing;
  const checked = String(publishing.effect.payload.sha);
  const ref = `heads/${spec.branch_name}`;
  if (spec.branch_name === null || (await isBranchPending(deps.db, spec.id))) {
    return { kind: 'refused', cause: 'the branch was not created yet', again: true };
  }
  const profile = (await mayChangeWorkflows(deps.db, spec)) ? 'workflows' : 'control';
  const head = await publishedHead(deps, { spec, repo, checked, profile });
  if (head.kind === 'refused') return refusedBy(head.message);
  const { sha } = head;
  const there = await readRef(deps.github, repo, ref);
  if (there.kind === 'missing') {
    const made = await createRef(deps.github, repo, { ref, sha, profile });
    if (made.kind === 'refused') return refusedBy(made.message);
    return made.kind === 'created'
      ? done(sha)
      : { kind: 'refused', cause: 'the branch appeared meanwhile', again: true };
  }
  if (there.kind === 'found' && there.sha === sha) return done(sha);
  if (there.kind === 'found' && there.sha !== spec.base_sha && there.sha !== spec.head_sha) {
    return { kind: 'refused', cause: foreign(spec.branch_name), again: false };
  }
  const moved = await moveRef(deps.github, repo, { ref, sha, profile });
  crashPoint('branch.moved');
  if (moved.kind === 'moved') return done(sha);
  if (moved.kind === 'diverged') return { kind: 'refused', cause: foreign(spec.branch_name), again: false };
  if (moved.kind === 'refused' && /verified signature/i.test(moved.message)) {
    // A rule that came after the start: the next attempt has the commits signed.
    await annotateSpec(deps.db, spec.id, { needs_signatures: true });
  }
  return refusedBy(moved.kind === 'refused' ? moved.message : 'the branch disappeared');
}

function foreign(branch: string): string {
  return `Somebody pushed to \`${branch}\`, and their commits are not overwritten.`;
}

function refusedBy(message: string): Published {
  return { kind: 'refused', cause: `GitHub refused to move the branch: ${message}`, again: true };
}

function done(sha: string): Published {
  return { kind: 'done', externalId: sha, input: { type: 'branch_moved', sha } };
}

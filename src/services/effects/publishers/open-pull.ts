import { crashPoint } from '../../../crash-point.ts';
import { createPull, findPullByHead } from '../../../github/pulls.ts';
import type { Deps } from '../../deps.ts';
import { describePull } from '../../pulls/describe.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

/**
 * Opens the pull request, or adopts the open one of the branch, whoever opened it: GitHub allows one a branch and
 * says so, and after a lost answer it is looked up first.
 */
export async function openPull(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  if (spec.status !== 'publishing')
    return { kind: 'done', externalId: 'not needed: nothing is published now' };
  const { repo } = publishing;
  const branch = spec.branch_name!;
  const find = () => findPullByHead(deps.github, repo, { branch, state: 'open' });
  const lost = publishing.triedBefore ? await find() : null;
  if (lost) return done(lost);
  const words = await describePull(deps, spec);
  crashPoint('effect.before-create');
  const made = await createPull(deps.github, repo, {
    ...words,
    head: branch,
    base: spec.base_branch!,
    draft: false,
  });
  crashPoint('pull.made');
  if (made.kind === 'created') return done(made);
  if (made.kind === 'exists') {
    const there = await find();
    if (there) return done(there);
    return { kind: 'refused', cause: 'the pull request exists but was not listed yet', again: true };
  }
  if (made.kind === 'base_missing') {
    const cause = `The branch \`${spec.base_branch}\`, which the pull request was to go into, is gone.`;
    return { kind: 'refused', cause, again: false };
  }
  const cause =
    made.kind === 'nothing_between' ? 'GitHub sees no commits between base and branch' : made.message;
  return { kind: 'refused', cause: `GitHub refused the pull request: ${cause}`, again: true };
}

function done(pull: { number: number; url: string; headSha: string }): Published {
  const { number, url, headSha } = pull;
  return { kind: 'done', externalId: String(number), input: { type: 'pull_opened', number, url, headSha } };
}

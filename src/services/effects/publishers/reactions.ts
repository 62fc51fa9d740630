import { addIssueReaction } from '../../../github/reactions.ts';
import type { Deps } from '../../deps.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

/** 👀: the request was seen. GitHub keeps one reaction a person, so a second call changes nothing. */
export async function acknowledge(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  await addIssueReaction(deps.github, publishing.repo, { issue: spec.issue_number, content: 'eyes' });
  return { kind: 'done', externalId: null };
}

/** 😕: the request was refused. */
export async function refuse(deps: Deps, { effect, repo }: Publishing): Promise<Published> {
  const issue = Number(effect.payload.issue);
  await addIssueReaction(deps.github, repo, { issue, content: 'confused' });
  return { kind: 'done', externalId: null };
}

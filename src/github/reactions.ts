import type { GitHub, RepoRef } from './client.ts';

/** GitHub's names: `eyes` is 👀, `confused` 😕, `rocket` 🚀. */
export type Reaction = '+1' | '-1' | 'laugh' | 'confused' | 'heart' | 'hooray' | 'rocket' | 'eyes';

/** Reacts to an issue or pull request; doing it again changes nothing. */
export async function addIssueReaction(
  gh: GitHub,
  repo: RepoRef,
  { issue, content }: { readonly issue: number; readonly content: Reaction },
): Promise<{ readonly id: number }> {
  const { data } = await gh.call(
    { repo, profile: 'issues' },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/reactions',
    { issue_number: issue, content },
  );
  return { id: data.id };
}

/** Reacts to a comment on an issue or pull request; doing it again changes nothing. */
export async function addCommentReaction(
  gh: GitHub,
  repo: RepoRef,
  { comment, content }: { readonly comment: number; readonly content: Reaction },
): Promise<{ readonly id: number }> {
  const { data } = await gh.call(
    { repo, profile: 'issues' },
    'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
    { comment_id: comment, content },
  );
  return { id: data.id };
}

import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';

export interface FoundIssue {
  readonly kind: 'found';
  readonly id: number;
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed';
  /** `completed`, `not_planned`, `duplicate`, `reopened` or nothing. */
  readonly stateReason: string | undefined;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  /** The organisation's issue type, like `Bug`. */
  readonly type: string | undefined;
  readonly authorId: number | undefined;
  readonly locked: boolean;
  readonly isPullRequest: boolean;
}

/** One issue as it is now; `moved` is one transferred to another repository. */
export async function readIssue(
  gh: GitHub,
  repo: RepoRef,
  number: number,
): Promise<FoundIssue | { readonly kind: 'missing' } | { readonly kind: 'moved' }> {
  const asked = gh.call({ repo, profile: 'issues' }, 'GET /repos/{owner}/{repo}/issues/{issue_number}', {
    issue_number: number,
  });
  const answer = await orExpected(asked, ({ kind }): 'missing' | 'moved' | undefined => {
    if (kind === 'moved') return 'moved';
    return kind === 'not_found' || kind === 'gone' ? 'missing' : undefined;
  });
  if (answer === 'missing' || answer === 'moved') return { kind: answer };
  const { data } = answer;
  return {
    kind: 'found',
    id: toId(data.id),
    number: data.number,
    url: data.html_url,
    state: data.state === 'open' ? 'open' : 'closed',
    stateReason: data.state_reason ?? undefined,
    title: data.title,
    body: data.body ?? '',
    labels: data.labels.map(labelName).filter((name) => name !== ''),
    type: data.type?.name,
    authorId: toId(data.user?.id),
    locked: data.locked,
    isPullRequest: data.pull_request !== undefined,
  };
}

function labelName(label: string | { readonly name?: string }): string {
  return typeof label === 'string' ? label : (label.name ?? '');
}

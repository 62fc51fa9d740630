import { type FoundIssue, readIssue } from '../github/issues.ts';
import type { Deps } from '../services/deps.ts';
import type { IssueEvent } from './payloads.ts';
import { repoRefOf } from './repo.ts';

/** What an event that comes late is held against. */
export type IssueNow = Pick<FoundIssue, 'state' | 'labels'>;

/** The issue as GitHub has it now; one that is gone counts as closed. @throws RetryableError when unclear */
export async function askIssue(deps: Deps, payload: IssueEvent): Promise<IssueNow> {
  const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
  const issue = await readIssue(github, repoRefOf(payload), payload.issue.number);
  return issue.kind === 'found'
    ? { state: issue.state, labels: issue.labels }
    : { state: 'closed', labels: [] };
}

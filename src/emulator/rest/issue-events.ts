import { userJson } from '../payloads/accounts.ts';
import { repositoryApi } from '../payloads/repository.ts';
import { accountOf, type IssueEvent, nodeId, stamp } from '../state.ts';
import { type RepoCall, type Route, repoRoute } from './call.ts';
import { issueOf } from './issues.ts';
import { paged } from './paging.ts';

const PATH = '/repos/{owner}/{repo}/issues/{issue_number}/events';

function eventJson(call: RepoCall, entry: IssueEvent): Record<string, unknown> {
  const { label } = entry;
  return {
    id: entry.id,
    node_id: nodeId('IE', entry.id),
    url: `${repositoryApi(call.world, call.repo)}/issues/events/${entry.id}`,
    actor: userJson(call.world, accountOf(call.world, entry.actorId)),
    event: entry.event,
    commit_id: null,
    commit_url: null,
    created_at: stamp(entry.createdAt),
    performed_via_github_app: null,
    ...(label ? { label: { name: label.name, color: label.color } } : {}),
    ...(entry.event === 'closed' ? { state_reason: null } : {}),
  };
}

/** What happened to an issue's labels and state, oldest first. */
export const issueEventRoutes: readonly Route[] = [
  repoRoute(`GET ${PATH}`, 'issue:read', (call) => {
    const { owner, repo, issue_number: number } = call.params;
    const path = `/repos/${owner}/${repo}/issues/${number}/events`;
    return paged(call, issueOf(call).events, { path, show: (entry) => eventJson(call, entry) });
  }),
];

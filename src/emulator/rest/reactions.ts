import { react } from '../issue-actions.ts';
import { isReaction, reactionJson } from '../payloads/issue.ts';
import { created, invalid, noContent, notFound, ok, problem, type Reply } from '../reply.ts';
import type { Reaction } from '../state.ts';
import { type RepoCall, type Route, repoRoute } from './call.ts';
import { commentOf } from './comments.ts';
import { doing, issueOf } from './issues.ts';
import { paged } from './paging.ts';

type Target = (call: RepoCall) => { reactions: Reaction[] };

function add(call: RepoCall, target: Target): Reply {
  const on = target(call);
  const { content } = call.body;
  if (!isReaction(content)) throw invalid({ resource: 'Reaction', code: 'invalid', field: 'content' });
  const { reaction, fresh } = react(doing(call), on, content);
  const body = reactionJson(call.world, reaction);
  return fresh ? created(body) : ok(body);
}

function remove(call: RepoCall, target: Target): Reply {
  const { reactions } = target(call);
  const at = reactions.findIndex((one) => one.id === Number(call.params.reaction_id));
  const reaction = reactions[at];
  if (!reaction) throw notFound();
  if (reaction.userId !== call.account?.id)
    throw problem(403, 'You do not have permission to delete this reaction.');
  reactions.splice(at, 1);
  return noContent();
}

function routesFor(path: string, target: Target): Route[] {
  return [
    repoRoute(`GET ${path}/reactions`, 'issue:read', (call) => {
      const content = call.query.get('content');
      const found = target(call).reactions.filter((one) => content === null || one.content === content);
      const name = path.replace(/\{(\w+)\}/g, (_, key: string) => call.params[key] ?? '');
      return paged(call, found, { path: `${name}/reactions`, show: (one) => reactionJson(call.world, one) });
    }),
    repoRoute(`POST ${path}/reactions`, 'issue:write@read', (call) => add(call, target)),
    repoRoute(`DELETE ${path}/reactions/{reaction_id}`, 'issue:write@read', (call) => remove(call, target)),
  ];
}

/** Reactions on issues, pull requests and their comments. */
export const reactionRoutes: readonly Route[] = [
  ...routesFor('/repos/{owner}/{repo}/issues/{issue_number}', issueOf),
  ...routesFor('/repos/{owner}/{repo}/issues/comments/{comment_id}', (call) => commentOf(call).comment),
];

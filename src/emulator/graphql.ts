import { holds, requireReach } from './access.ts';
import type { Actor } from './auth.ts';
import { ok, type Reply } from './reply.ts';
import { type Comment, type Json, nodeId, type Repository, type World } from './state.ts';

const CLASSIFIERS = ['ABUSE', 'DUPLICATE', 'LOW_QUALITY', 'OFF_TOPIC', 'OUTDATED', 'RESOLVED', 'SPAM'];

function failed(type: string, message: string): Reply {
  return ok({ data: null, errors: [{ type, message }] });
}

/** The value of an input field, from the variables (directly or in `input`) or from the text of the query. */
function inputOf(query: string, variables: Json, name: string): string | undefined {
  const input = (variables.input ?? {}) as Json;
  const inline = new RegExp(`\\b${name}\\s*:\\s*(?:"([^"]*)"|([A-Z_]+)|\\$(\\w+))`).exec(query);
  const value = input[name] ?? inline?.[1] ?? inline?.[2] ?? variables[inline?.[3] ?? name];
  return typeof value === 'string' ? value : undefined;
}

function findComment(world: World, id: string | undefined): { repo: Repository; comment: Comment } | null {
  for (const repo of world.repositories.values()) {
    for (const issue of repo.issues.values()) {
      const comment = issue.comments.find((one) => nodeId('IC', one.id) === id);
      if (comment) return { repo, comment };
    }
  }
  return null;
}

/** GraphQL as far as REST has no way of its own: hiding comments (`minimizeComment`, `unminimizeComment`). Everything else is refused as unsupported. */
export function answerGraphql(world: World, actor: Actor, body: Json): Reply {
  const query = typeof body.query === 'string' ? body.query : '';
  const variables = (body.variables ?? {}) as Json;
  const mutation = /\b(un)?minimizeComment\s*\(/.exec(query);
  if (!mutation)
    return failed('UNSUPPORTED', 'The emulator answers only minimizeComment and unminimizeComment');
  const found = findComment(world, inputOf(query, variables, 'subjectId'));
  if (!found) return failed('NOT_FOUND', 'Could not resolve to a node with the global id given');
  requireReach(actor, found.repo);
  const allowed =
    actor.kind === 'installation' &&
    ['issues:write', 'pull_requests:write'].some((one) => holds(actor.permissions, one));
  if (!allowed && actor.kind !== 'user') return failed('FORBIDDEN', 'Resource not accessible by integration');
  const classifier = inputOf(query, variables, 'classifier') ?? 'OUTDATED';
  if (!CLASSIFIERS.includes(classifier)) return failed('UNPROCESSABLE', `${classifier} is no classifier`);
  found.comment.minimized = mutation[1] ? null : classifier.toLowerCase();
  const minimizedComment = { isMinimized: !mutation[1], minimizedReason: found.comment.minimized };
  const name = mutation[1] ? 'unminimizeComment' : 'minimizeComment';
  return ok({
    data: { [name]: { clientMutationId: null, minimizedComment, unminimizedComment: minimizedComment } },
  });
}

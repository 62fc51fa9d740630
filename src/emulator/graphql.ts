import type { Actor } from './auth.ts';
import { type Problem, problemReply, type Reply } from './reply.ts';
import type { Json, World } from './state.ts';

export type GraphqlAnswerer = (world: World, actor: Actor, body: Json) => Promise<Reply>;

/** Makes what answers GraphQL; the schema is read with the first request, so that nobody waits for it who sends none. */
export function createGraphql(): GraphqlAnswerer {
  let executor: Promise<GraphqlAnswerer> | null = null;
  return async (world, actor, body) => {
    executor ??= import('./graphql/execute.ts').then(({ createExecutor }) => createExecutor());
    return (await executor)(world, actor, body);
  };
}

/** A thrown problem in GraphQL's form: a used up hour is a 200 with an error in it. */
export function graphqlProblem(error: Problem): Reply {
  if (!error.message.startsWith('API rate limit exceeded')) return problemReply(error);
  return { status: 200, body: { errors: [{ type: 'RATE_LIMITED', message: error.message }] } };
}

import { GraphQLError } from 'graphql';
import { holds, requireReach } from '../access.ts';
import { type Actor, accountOfActor } from '../auth.ts';
import type { Doing } from '../issue-actions.ts';
import { Problem } from '../reply.ts';
import type { Account, Repository, World } from '../state.ts';

export interface Context {
  readonly world: World;
  readonly actor: Actor;
  readonly by: Account;
}

/** A refusal in GraphQL's form: the answer is 200, and the error has a `type`. */
export function refusal(type: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { type } });
}

/** NOT_FOUND, which GitHub also gives for what the caller may not know of. */
export function unresolved(id: string): GraphQLError {
  return refusal('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'.`);
}

/** Whether the actor reaches a repository. */
export function reaches(context: Context, repo: Repository): boolean {
  try {
    requireReach(context.actor, repo);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** The actor of a request; null for who has no account, such as an App's JWT. */
export function contextOf(world: World, actor: Actor): Context | null {
  const by = accountOfActor(world, actor);
  return by && { world, actor, by };
}

/** What a mutation needs: an installation every one of the permissions, a person what `person` says. */
export interface Demand {
  readonly permissions: readonly string[];
  readonly person: boolean;
}

/** Whether the actor may do what a mutation does. */
export function may(context: Context, demand: Demand): boolean {
  const { actor } = context;
  if (actor.kind !== 'installation') return demand.person;
  return demand.permissions.every((one) => holds(actor.permissions, one));
}

/** Asserts that the actor may write: FORBIDDEN otherwise, as for an archived repository. */
export function requireMay(context: Context, repo: Repository, demand: Demand): Doing {
  if (!may(context, demand)) throw refusal('FORBIDDEN', 'Resource not accessible by integration');
  if (repo.archived) throw refusal('FORBIDDEN', 'Repository was archived so is read-only.');
  return { world: context.world, repo, by: context.by };
}

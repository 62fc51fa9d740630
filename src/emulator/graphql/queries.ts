import { rateOf } from '../primary-limits.ts';
import { findRepository, type Repository, stamp, type World } from '../state.ts';
import { type Context, reaches, refusal, unresolved } from './context.ts';
import { findNode } from './nodes.ts';
import { nodeView, repositoryView, userView } from './views.ts';

function named(world: World, name: string, followRenames: boolean): Repository | undefined {
  const former = followRenames ? world.formerNames.get(name.toLowerCase()) : undefined;
  return findRepository(world, name) ?? (former === undefined ? undefined : world.repositories.get(former));
}

function node({ id }: { id: string }, context: Context): unknown {
  const found = findNode(context, id);
  if (!found) throw unresolved(id);
  return nodeView(context, found);
}

/** The fields of Query. */
export const queries = {
  node,
  nodes: ({ ids }: { ids: readonly string[] }, context: Context) =>
    ids.map((id) => {
      const found = findNode(context, id);
      return found ? nodeView(context, found) : unresolved(id);
    }),
  repository(wanted: { owner: string; name: string; followRenames: boolean }, context: Context) {
    const name = `${wanted.owner}/${wanted.name}`;
    const repo = named(context.world, name, wanted.followRenames);
    if (!repo || !reaches(context, repo))
      throw refusal('NOT_FOUND', `Could not resolve to a Repository with the name '${name}'.`);
    return repositoryView(context, repo);
  },
  viewer: (_none: unknown, context: Context) => userView(context, context.by.id),
  rateLimit(_options: unknown, { world, actor }: Context) {
    const { limit, used, remaining, reset } = rateOf(world, actor, 'graphql');
    return { cost: 1, nodeCount: 0, limit, used, remaining, resetAt: stamp(new Date(reset * 1000)) };
  },
};

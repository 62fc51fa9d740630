/** A node of a dependency graph: its id and the ids that have to come before it. */
export interface Node {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/** The values that occur more than once, each named once, in order of their second appearance. */
export function duplicatesOf(values: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) twice.add(value);
    seen.add(value);
  }
  return [...twice];
}

/** The members of `values` that `known` does not have, each named once. */
export function unknownOf(values: Iterable<string>, known: ReadonlySet<string>): string[] {
  return [...new Set(values)].filter((value) => !known.has(value));
}

/** One cycle as the ids along it, first and last the same, or null. Unknown ids are not followed. */
export function findCycle(nodes: readonly Node[]): string[] | null {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const done = new Set<string>();
  for (const start of nodes) {
    const cycle = walk(start.id, byId, done);
    if (cycle) return cycle;
  }
  return null;
}

// Without recursion: the number of tasks is bounded by the schema, the stack's depth should not depend on that.
function walk(start: string, byId: ReadonlyMap<string, Node>, done: Set<string>): string[] | null {
  const path: string[] = [];
  const pending: { id: string; leave: boolean }[] = [{ id: start, leave: false }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if (next.leave) {
      done.add(next.id);
      path.pop();
      continue;
    }
    if (done.has(next.id)) continue;
    if (path.includes(next.id)) return [...path.slice(path.indexOf(next.id)), next.id];
    path.push(next.id);
    pending.push({ id: next.id, leave: true });
    for (const id of byId.get(next.id)?.dependsOn ?? []) if (byId.has(id)) pending.push({ id, leave: false });
  }
  return null;
}

/**
 * The nodes so that each stands behind its dependencies; among those that could come next, the one that is
 * first in `nodes`. Null where a cycle or an unknown id makes that impossible.
 */
export function topologicalOrder<N extends Node>(nodes: readonly N[]): N[] | null {
  const placed = new Set<string>();
  const order: N[] = [];
  while (order.length < nodes.length) {
    const next = nodes.find((node) => !placed.has(node.id) && node.dependsOn.every((id) => placed.has(id)));
    if (!next) return null;
    placed.add(next.id);
    order.push(next);
  }
  return order;
}

import { createHash } from 'node:crypto';

// Below this length a reference saves nothing.
const WORTH = 120;

/** Writes each subschema that occurs more than once only once: GitHub's descriptions of events repeat whole repositories and people. */
export function share<T extends { readonly schemas: Record<string, unknown> }>(description: T): T {
  const counts = new Map<string, number>();
  const count = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const key = keyOf(node);
    const seen = counts.get(key) ?? 0;
    if (key.length >= WORTH) counts.set(key, seen + 1);
    if (seen === 0) for (const child of Object.values(node)) count(child);
  };
  count(description);
  const shared: Record<string, unknown> = {};
  const rewrite = (node: unknown, top = false): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    const key = keyOf(node);
    const name = `shared-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
    if (top || !isSchema(node) || (counts.get(key) ?? 0) < 2) return mapped(node, rewrite);
    shared[name] ??= mapped(node, rewrite);
    return { $ref: name };
  };
  const rest = mapped(description, (child) => mapped(child, (one) => rewrite(one, true))) as T;
  const all = Object.entries({ ...rest.schemas, ...shared });
  return { ...rest, schemas: Object.fromEntries(all.sort(([one], [other]) => (one < other ? -1 : 1))) };
}

function keyOf(node: object): string {
  return JSON.stringify(node);
}

/** Objects with a type or alternatives; never a bare map of properties, which could have a property called "type". */
function isSchema(node: object): boolean {
  if (!('type' in node) || typeof node.type !== 'string') return 'oneOf' in node || 'anyOf' in node;
  return true;
}

function mapped(node: unknown, change: (child: unknown) => unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((one) => change(one));
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, change(child)]));
}

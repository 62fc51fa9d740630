import type { Scope } from './credential.ts';

/** Whose a credential is. */
export type Owner =
  | { readonly scope: 'user' | 'installation'; readonly id: number }
  | { readonly scope: 'system'; readonly id: null };

/** "the installation 42", for sentences. */
export function nameOf({ scope, id }: { scope: Scope; id: number | null }): string {
  return scope === 'system' ? 'the whole deployment' : `the ${scope} ${id}`;
}

/** The command that sets a credential in a place. */
export function commandFor(kind: string, { scope, id }: { scope: Scope; id: number | null }): string {
  return `specwright credentials set --kind ${kind} --${scope}${id === null ? '' : ` ${id}`}`;
}

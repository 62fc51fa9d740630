import type { EffectRow } from '../../db/effects.ts';
import type { SpecRow } from '../../db/specs.ts';
import type { RepoRef } from '../../github/client.ts';
import type { Deps } from '../deps.ts';
import type { SpecInput } from '../spec/inputs.ts';

/** What a publisher works with. */
export interface Publishing {
  readonly effect: EffectRow;
  readonly repo: RepoRef;
  /** Null for effects that belong to no spec (refusals). */
  readonly spec: SpecRow | null;
  /** Somebody tried before and may have succeeded: look before you create. */
  readonly triedBefore: boolean;
  /** Seconds since a comment was sent whose answer nobody has seen; null when none is in doubt. */
  readonly unclearSeconds: number | null;
}

/** A publisher's result. Unclear answers are thrown, and looked up at the next attempt. */
export type Published =
  /** The effect is visible, by us or already before. `input` is what the spec learns from it. */
  | {
      readonly kind: 'done';
      readonly externalId: string | null;
      readonly input?: SpecInput;
      /** It was made once more after a doubt, so the first one may still turn up: looked for later. */
      readonly maybeTwice?: { readonly issue: number };
    }
  /** Sent before, in doubt, and not to be seen yet: looked for again before it is made once more. */
  | { readonly kind: 'unseen' }
  /** A definite no. `again`: it may change (a rule lifted), so it is tried until the effect's deadline. */
  | { readonly kind: 'refused'; readonly cause: string; readonly again: boolean };

export type Publisher = (deps: Deps, publishing: Publishing) => Promise<Published>;

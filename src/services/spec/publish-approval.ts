/** Whether finished work waits for a person before it is published, and for which commit. */
import type { SpecRow } from '../../db/specs.ts';
import type { Hold } from './states.ts';
import { settingsOf } from './work.ts';

/** Roles that may publish by themselves; `bot` is one that the settings allow by name. */
const TRUSTED: ReadonlySet<string> = new Set(['write', 'maintain', 'admin', 'bot']);

export type ApprovalReason =
  | { readonly kind: 'settings' }
  /** `login` is null where the author's account is gone. */
  | { readonly kind: 'author'; readonly login: string | null };

/** Why the work waits; null where it is published at once. A spec from before authors were asked for is. */
export function approvalReason(spec: SpecRow): ApprovalReason | null {
  const { publish } = settingsOf(spec);
  if (publish === 'auto') return null;
  if (publish === 'after-approval') return { kind: 'settings' };
  const { author_permission: permission, author_login: login } = spec;
  return permission === null || TRUSTED.has(permission) ? null : { kind: 'author', login };
}

/** The commit that waits for its approval; null where none does. */
export function waitingSha(spec: Pick<SpecRow, 'status' | 'hold'>): string | null {
  const hold = spec.hold as Hold | null;
  return spec.status === 'publishing' && hold?.reason === 'approval' ? (hold.sha ?? null) : null;
}

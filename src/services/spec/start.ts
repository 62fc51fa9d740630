import { createHash, randomUUID } from 'node:crypto';
import { insertSpec, type SpecRow } from '../../db/specs.ts';
import type { AuthorPermission } from '../access/sender.ts';
import type { Deps, Unit } from '../deps.ts';
import type { MergedSettings } from '../settings/load.ts';
import { carryOut } from './commands.ts';

/** What a request brings, frozen as it was when the label was set: the labeller vouches for it. */
export interface Request {
  readonly payload: {
    readonly repository: { readonly id: number };
    readonly installation: { readonly id: number };
    readonly sender: { readonly id: number; readonly login: string };
    readonly issue: {
      readonly number: number;
      readonly title: string;
      readonly body?: string | null | undefined;
      readonly labels: readonly { readonly name: string }[];
      readonly type?: { readonly name: string } | null | undefined;
      readonly user?: { readonly id: number; readonly login: string } | null | undefined;
      /** GitHub's time of the label. */
      readonly updated_at?: Date | null | undefined;
    };
  };
  readonly settings: MergedSettings;
  /** What the issue's author may do in the repository; null where nobody asked. */
  readonly authorPermission?: AuthorPermission | null;
}

/** The settings snapshot on a spec: what holds for it until its end. */
export type SpecSettings = MergedSettings;

/** Inserts a spec and asks for its preparation; null when the issue has a live one already. */
export async function startSpec(deps: Deps, unit: Unit, request: Request): Promise<SpecRow | null> {
  const { issue, sender, repository, installation } = request.payload;
  const body = issue.body ?? '';
  const spec = await insertSpec(unit.trx, {
    id: randomUUID(),
    repository_id: repository.id,
    installation_id: installation.id,
    issue_number: issue.number,
    issue_labels: issue.labels.map((label) => label.name),
    issue_type: issue.type?.name ?? null,
    title: storable(issue.title),
    body: storable(body),
    frozen_hash: frozenHash(issue.title, body),
    requester_id: sender.id,
    requester_login: sender.login,
    requested_at: issue.updated_at ?? null,
    settings: request.settings,
    author_id: issue.user?.id ?? null,
    author_login: issue.user?.login ?? null,
    author_permission: request.authorPermission ?? null,
  });
  if (!spec) return null;
  await carryOut(deps, unit, { spec, command: { do: 'prepare' } });
  await carryOut(deps, unit, { spec, command: { do: 'acknowledge' } });
  await deps.jobs.enqueue(unit.trx, 'status.sync', { data: { specId: spec.id }, key: spec.id });
  return spec;
}

/** Postgres keeps no NUL in text; GitHub accepts it in an issue. */
function storable(text: string): string {
  return text.replaceAll('\u0000', '');
}

/** sha256 over title and body, apart from each other. */
export function frozenHash(title: string, body: string): string {
  return createHash('sha256')
    .update(JSON.stringify([title, body]))
    .digest('hex');
}

import { listModelCredentials } from '../../db/model-credentials.ts';
import type { Action } from './arguments.ts';
import type { Desk } from './credentials.ts';

/** One credential as it may be shown. */
interface Shown {
  readonly scope: string;
  readonly owner: string;
  readonly kind: string;
  readonly hint: string;
  /** The key that sealed it, or the variable that holds it. */
  readonly key: string;
  readonly baseUrl: string | null;
  readonly updatedAt: string | null;
  readonly createdBy: string | null;
}

const columns = ['scope', 'owner', 'kind', 'hint', 'key', 'baseUrl', 'updatedAt', 'createdBy'] as const;

const titles: Readonly<Record<(typeof columns)[number], string>> = {
  scope: 'scope',
  owner: 'owner',
  kind: 'kind',
  hint: 'ends in',
  key: 'sealed with',
  baseUrl: 'address',
  updatedAt: 'set at',
  createdBy: 'by',
};

/** Shows what there is, in the order in which it is used; never a secret. */
export async function listAll(
  { db, config, say }: Desk,
  { json }: Extract<Action, { do: 'list' }>,
): Promise<number> {
  const ours = new Set(config.keys.map(({ id }) => id));
  const stored = (await listModelCredentials(db)).map(
    (row): Shown => ({
      scope: row.scope,
      owner: ownerOf(row),
      kind: row.kind,
      hint: row.hint,
      key: ours.has(row.key_id) ? row.key_id : `${row.key_id} (not in CREDENTIAL_KEYS)`,
      baseUrl: row.base_url,
      updatedAt: row.updated_at.toISOString(),
      createdBy: row.created_by,
    }),
  );
  const given = config.environment.map(
    ({ kind, variable, apiKey, baseUrl }): Shown => ({
      scope: 'system',
      owner: '',
      kind,
      hint: apiKey.slice(-4),
      key: `none: ${variable}`,
      baseUrl,
      updatedAt: null,
      createdBy: null,
    }),
  );
  const all = [...stored, ...given];
  if (json) say(JSON.stringify({ credentials: all }));
  else say(all.length === 0 ? NONE : table(all));
  return 0;
}

const NONE = 'There is none yet. Add one, for example: specwright credentials set --kind anthropic --system';

function ownerOf(row: { owner_id: number | null; owner_login: string | null; owner_gone: boolean }): string {
  if (row.owner_id === null) return '';
  const login = row.owner_login === null ? '' : `${row.owner_login} `;
  return `${login}(${row.owner_id})${row.owner_gone ? ', uninstalled' : ''}`;
}

function table(all: readonly Shown[]): string {
  const rows = [
    columns.map((name) => titles[name]),
    ...all.map((one) => columns.map((name) => one[name] ?? '')),
  ];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

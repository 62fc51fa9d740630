import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';
import type { Account } from './inventory.ts';
import { PAGE_SIZE, readPages } from './pages.ts';

/** When a label was last set on an issue or taken away, and by whom. */
export interface LabelChange {
  readonly id: number;
  /** Null for an account that is gone. */
  readonly actor: Account | null;
  /** GitHub's time, as it writes it. */
  readonly at: string;
}

const MOST_PAGES = 10;

/**
 * The last time that a label was set (or unset) on an issue; undefined when GitHub tells of none, `missing` when it knows
 * no such issue.
 */
export async function readLastLabelChange(
  gh: GitHub,
  repo: RepoRef,
  asked: { readonly issue: number; readonly label: string; readonly change: 'labeled' | 'unlabeled' },
): Promise<LabelChange | 'missing' | undefined> {
  let missing = false;
  const read = async (page: number) => {
    const sent = gh.call(
      { repo, profile: 'issues' },
      'GET /repos/{owner}/{repo}/issues/{issue_number}/events',
      { issue_number: asked.issue, per_page: PAGE_SIZE, page },
    );
    return orExpected(
      sent.then(({ data }) => data),
      ({ kind }) => {
        missing = ['not_found', 'gone', 'moved'].includes(kind);
        return missing ? [] : undefined;
      },
    );
  };
  const { items } = await readPages(MOST_PAGES, read);
  if (missing) return 'missing';
  const found = items.findLast(
    (one) => one.event === asked.change && 'label' in one && one.label.name === asked.label,
  );
  if (!found) return undefined;
  const { actor } = found;
  return {
    id: toId(found.id),
    actor: actor === null ? null : { id: toId(actor.id), login: actor.login, type: actor.type },
    at: found.created_at,
  };
}

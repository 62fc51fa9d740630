/**
 * Publishes the status comment: a level and not an event, rendered from the database when it is published.
 *
 * Race ledger
 * - Two processes publish at once → the lease lets one through; the other's newer version is published right after.
 * - GitHub takes the comment and the answer is lost → the next attempts look for it by its marker, for 12 s, before
 *   one of them creates another; half a minute after that a surplus one is looked for and
 *   removed, until the list shows one and no more (test/integration/fault-matrix).
 * - The spec ends while an edit is under way → its version is newer than what was published, so one more edit
 *   follows at once, and after that nothing is newer.
 */

import { crashPoint } from '../../crash-point.ts';
import { readSpec, type SpecRow } from '../../db/specs.ts';
import {
  deferStatus,
  endStatusLease,
  noteStatusSending,
  noteStatusUnsent,
  recordPublishedStatus,
  type StatusLease,
  skipStatus,
  statusPause,
  takeStatusLease,
} from '../../db/status-leases.ts';
import { messageOf, RetryableError } from '../../errors.ts';
import type { RepoRef } from '../../github/client.ts';
import { createComment, deleteComment, editComment, findCommentByMarker } from '../../github/comments.ts';
import { isDefinite, isUnclear } from '../../github/explain.ts';
import { marker } from '../../github/markers.ts';
import type { Deps } from '../deps.ts';
import { reachOf } from '../effects/target.ts';
import { buildView } from './build-view.ts';
import { renderStatus } from './render.ts';

const LEASE_SECONDS = 30;
/** Well under the 25 s after which a job counts as stuck. Milliseconds. */
const PUBLISH_MS = 18_000;
/** GitHub's lists lag: a comment in doubt is looked for so long before it is made once more. */
const LOOK_SECONDS = 12;
/** A second one is looked for so long after it was made, and again until the list shows one and no more. */
const SECOND_LOOK_SECONDS = 30;
const MOST_SECOND_LOOKS = 10;
/** Failures in a row after which people are not shown this version: some 15 minutes of refusals, a day of trouble. */
const MOST_TRIES = { refused: 10, unclear: 300 };

/** Brings the status comment of a spec up to date, at most once per interval while the spec lives. */
export async function syncStatus(
  deps: Deps,
  { specId, maybeTwice }: { specId: string; maybeTwice?: { looks?: number } },
): Promise<void> {
  if (maybeTwice) return lookForSecond(deps, specId, maybeTwice.looks);
  const pause = await statusPause(deps.db, specId, deps.timing.statusIntervalSeconds);
  if (pause > 0) return again(deps, specId, Math.ceil(pause));
  const lease = await takeStatusLease(deps.db, specId, { owner: deps.workerId, seconds: LEASE_SECONDS });
  if (!lease) return;
  const reach = await reachOf(deps.db, lease.spec.repository_id);
  if (reach.kind === 'paused') return endStatusLease(deps.db, specId);
  if (reach.kind === 'shut') return skipStatus(deps.db, { specId, version: lease.spec.version });
  const github = deps.github.within({ signal: AbortSignal.timeout(PUBLISH_MS) });
  try {
    crashPoint('status.before-call');
    const commentId = await publish({ ...deps, github }, reach.repo, lease);
    crashPoint('status.after-call');
    await recordPublishedStatus(deps.db, { specId, version: lease.spec.version, commentId });
    crashPoint('status.recorded');
  } catch (error) {
    return postpone(deps, lease.spec, error);
  }
  const now = await readSpec(deps.db, specId);
  if (now && now.version > lease.spec.version) await again(deps, specId, 0);
}

/** Puts off what failed, by a row: a job that failed would be tried beside every new request. */
async function postpone(deps: Deps, { id: specId, version }: SpecRow, error: unknown): Promise<void> {
  const asked = error instanceof RetryableError && error.retryAt ? error.retryAt.getTime() - Date.now() : 0;
  const { tries, seconds } = await deferStatus(deps.db, { specId, asked: asked / 1000 });
  deps.log.warn({ spec: specId, tries, error: messageOf(error) }, 'status deferred');
  const most = isDefinite(error) ? MOST_TRIES.refused : MOST_TRIES.unclear;
  if (tries < most) return again(deps, specId, Math.ceil(seconds));
  deps.log.error({ spec: specId, error: messageOf(error) }, 'status can not be shown');
  await skipStatus(deps.db, { specId, version });
}

/** The key differs from that of a fresh request, so that a last state never waits behind a delayed job. */
async function again(deps: Deps, specId: string, delaySeconds: number): Promise<void> {
  const key = delaySeconds > 0 ? `${specId}/later` : specId;
  await deps.db.transaction((trx) =>
    deps.jobs.enqueue(trx, 'status.sync', { data: { specId }, key, delaySeconds }),
  );
}

async function publish(deps: Deps, repo: RepoRef, lease: StatusLease): Promise<number> {
  const { spec, unclearSeconds } = lease;
  const body = `${renderStatus(await buildView(deps, spec, repo))}\n\n${marker(markerKey(spec))}`;
  const known = spec.status_comment_id;
  if (known !== null && (await edit(deps, repo, { id: known, body }))) return known;
  if (known === null && unclearSeconds === null) return create(deps, repo, { spec, body });
  const found = (await findOurs(deps, repo, spec))[0];
  if (found !== undefined && (await edit(deps, repo, { id: found, body }))) return found;
  if (found !== undefined || unclearSeconds === null || unclearSeconds < LOOK_SECONDS) {
    // Nothing is made while there may be one: GitHub does not show everything everywhere at once.
    if (unclearSeconds === null) await noteStatusSending(deps.db, spec.id);
    throw new RetryableError('the status comment is not to be seen now');
  }
  const made = await create(deps, repo, { spec, body });
  await secondLookLater(deps, spec.id, 0);
  return made;
}

async function edit(deps: Deps, repo: RepoRef, to: { id: number; body: string }): Promise<boolean> {
  return (await editComment(deps.github, repo, to)).kind === 'edited';
}

async function create(deps: Deps, repo: RepoRef, of: { spec: SpecRow; body: string }): Promise<number> {
  const { spec, body } = of;
  await noteStatusSending(deps.db, spec.id);
  try {
    return (await createComment(deps.github, repo, { issue: spec.issue_number, body })).id;
  } catch (error) {
    if (!isUnclear(error)) await noteStatusUnsent(deps.db, spec.id);
    throw error;
  }
}

function markerKey({ id }: { id: string }): string {
  return `spec/${id}/status`;
}

/** Our status comments, oldest first: one, unless an answer was lost. */
async function findOurs(deps: Deps, repo: RepoRef, spec: SpecRow): Promise<number[]> {
  const of = { issue: spec.issue_number, key: markerKey(spec) };
  return (await findCommentByMarker(deps.github, repo, of)).map(({ id }) => id);
}

async function secondLookLater(deps: Deps, specId: string, looks: number): Promise<void> {
  const later = { key: `${specId}/twice`, delaySeconds: SECOND_LOOK_SECONDS };
  await deps.db.transaction((trx) =>
    deps.jobs.enqueue(trx, 'status.sync', { data: { specId, maybeTwice: { looks } }, ...later }),
  );
}

/** Removes every status comment but the one that is kept up to date. */
async function lookForSecond(deps: Deps, specId: string, looks = 0): Promise<void> {
  const spec = await readSpec(deps.db, specId);
  if (!spec) return;
  const reach = await reachOf(deps.db, spec.repository_id);
  if (reach.kind !== 'open') return;
  const all = await findOurs(deps, reach.repo, spec);
  const kept = spec.status_comment_id ?? all[0];
  const surplus = all.filter((id) => id !== kept);
  for (const id of surplus) await deleteComment(deps.github, reach.repo, id);
  // An empty list lags, and what was deleted is believed when it is not there any more.
  if ((all.length > 0 && surplus.length === 0) || looks + 1 >= MOST_SECOND_LOOKS) return;
  await secondLookLater(deps, specId, looks + 1);
}

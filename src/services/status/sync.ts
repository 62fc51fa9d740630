/**
 * Publishes the status comment: a level and not an event, rendered from the database when it is published.
 *
 * Race ledger
 * - Two processes publish at once → the lease lets one through; the other's newer version is published right after.
 * - GitHub takes the comment and the answer is lost → the next attempt finds it by its marker before it creates one.
 * - The spec ends while an edit is under way → its version is newer than what was published, so one more edit
 *   follows at once, and after that nothing is newer.
 */

import { readSpec, type SpecRow } from '../../db/specs.ts';
import {
  endStatusLease,
  recordPublishedStatus,
  type StatusLease,
  skipStatus,
  statusPause,
  takeStatusLease,
} from '../../db/status-leases.ts';
import type { RepoRef } from '../../github/client.ts';
import { createComment, deleteComment, editComment, findCommentByMarker } from '../../github/comments.ts';
import { marker } from '../../github/markers.ts';
import type { Deps } from '../deps.ts';
import { reachOf } from '../effects/target.ts';
import { buildView } from './build-view.ts';
import { renderStatus } from './render.ts';

const LEASE_SECONDS = 30;

/** Brings the status comment of a spec up to date, at most once per interval while the spec lives. */
export async function syncStatus(deps: Deps, { specId }: { specId: string }): Promise<void> {
  const pause = await statusPause(deps.db, specId, deps.timing.statusIntervalSeconds);
  if (pause > 0) return again(deps, specId, Math.ceil(pause));
  const lease = await takeStatusLease(deps.db, specId, { owner: deps.workerId, seconds: LEASE_SECONDS });
  if (!lease) return;
  const reach = await reachOf(deps.db, lease.spec.repository_id);
  if (reach.kind === 'paused') return endStatusLease(deps.db, specId);
  if (reach.kind === 'shut') return skipStatus(deps.db, { specId, version: lease.spec.version });
  try {
    const commentId = await publish(deps, reach.repo, lease);
    await recordPublishedStatus(deps.db, { specId, version: lease.spec.version, commentId });
  } catch (error) {
    await endStatusLease(deps.db, specId);
    throw error;
  }
  const now = await readSpec(deps.db, specId);
  if (now && now.version > lease.spec.version) await again(deps, specId, 0);
}

/** The key differs from that of a fresh request, so that a last state never waits behind a delayed job. */
async function again(deps: Deps, specId: string, delaySeconds: number): Promise<void> {
  const key = delaySeconds > 0 ? `${specId}/later` : specId;
  await deps.db.transaction((trx) =>
    deps.jobs.enqueue(trx, 'status.sync', { data: { specId }, key, delaySeconds }),
  );
}

async function publish(deps: Deps, repo: RepoRef, { spec, triedBefore }: StatusLease): Promise<number> {
  const body = `${renderStatus(await buildView(deps, spec, repo))}\n\n${marker(markerKey(spec))}`;
  const known = spec.status_comment_id ?? (triedBefore ? await findOurs(deps, repo, spec) : null);
  if (known !== null) {
    const edited = await editComment(deps.github, repo, { id: known, body });
    if (edited.kind === 'edited') return known;
  }
  return (await createComment(deps.github, repo, { issue: spec.issue_number, body })).id;
}

function markerKey(spec: SpecRow): string {
  return `spec/${spec.id}/status`;
}

/** The comment of an attempt whose answer was lost. Surplus copies are removed. */
async function findOurs(deps: Deps, repo: RepoRef, spec: SpecRow): Promise<number | null> {
  const found = await findCommentByMarker(deps.github, repo, {
    issue: spec.issue_number,
    key: markerKey(spec),
  });
  for (const copy of found.slice(1)) await deleteComment(deps.github, repo, copy.id);
  return found[0]?.id ?? null;
}

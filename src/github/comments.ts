import type { Endpoints } from '@octokit/types';
import { RetryableError } from '../errors.ts';
import type { GitHub, RepoRef } from './client.ts';
import { orExpected } from './errors.ts';
import { toId } from './ids.ts';
import { hasMarker } from './markers.ts';
import { PAGE_SIZE, type Pages, readPages } from './pages.ts';

export interface Comment {
  readonly id: number;
  readonly url: string;
  readonly body: string;
  readonly authorId: number | undefined;
  readonly authorLogin: string | undefined;
  /** True when our App wrote it. */
  readonly ours: boolean;
  readonly createdAt: Date;
}

/** Comments on an issue or pull request. */
export async function createComment(
  gh: GitHub,
  repo: RepoRef,
  { issue, body }: { readonly issue: number; readonly body: string },
): Promise<{ readonly id: number; readonly url: string }> {
  const { data } = await gh.call(
    { repo, profile: 'issues' },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
    { issue_number: issue, body },
  );
  return { id: toId(data.id), url: data.html_url };
}

/** Replaces a comment's body; notifies nobody. */
export async function editComment(
  gh: GitHub,
  repo: RepoRef,
  { id, body }: { readonly id: number; readonly body: string },
): Promise<{ readonly kind: 'edited' } | { readonly kind: 'missing' }> {
  const sent = gh.call(
    { repo, profile: 'issues' },
    'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
    { comment_id: id, body },
  );
  const done = sent.then(() => ({ kind: 'edited' }) as const);
  return orExpected(done, (error) => (isGone(error.kind) ? { kind: 'missing' } : undefined));
}

/** Deletes a comment. */
export async function deleteComment(
  gh: GitHub,
  repo: RepoRef,
  id: number,
): Promise<{ readonly kind: 'deleted' } | { readonly kind: 'missing' }> {
  const sent = gh.call(
    { repo, profile: 'issues' },
    'DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}',
    { comment_id: id },
  );
  const done = sent.then(() => ({ kind: 'deleted' }) as const);
  return orExpected(done, (error) => (isGone(error.kind) ? { kind: 'missing' } : undefined));
}

/** An issue's comments, oldest first; `since` leaves out those last changed before it. */
export async function listComments(
  gh: GitHub,
  repo: RepoRef,
  {
    issue,
    since,
    maxPages = 10,
  }: { readonly issue: number; readonly since?: Date; readonly maxPages?: number },
): Promise<Pages<Comment>> {
  return readPages(maxPages, async (page) => {
    const { data } = await gh.call(
      { repo, profile: 'issues' },
      'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
      {
        issue_number: issue,
        per_page: PAGE_SIZE,
        page,
        ...(since === undefined ? {} : { since: since.toISOString() }),
      },
    );
    return data.map((comment) => toComment(gh, comment));
  });
}

const MARKER_PAGES = 50;

/**
 * Our own comments that carry an effect's marker, oldest first: none, the one, or surplus copies to delete.
 * @throws RetryableError when the issue has too many comments to be sure; pass `since` to narrow the search.
 */
export async function findCommentByMarker(
  gh: GitHub,
  repo: RepoRef,
  { issue, key, since }: { readonly issue: number; readonly key: string; readonly since?: Date },
): Promise<readonly Comment[]> {
  const pages = await listComments(gh, repo, { issue, maxPages: MARKER_PAGES, ...(since ? { since } : {}) });
  if (!pages.complete) throw new RetryableError('an issue has too many comments to look for ours');
  return pages.items
    .filter((comment) => comment.ours && hasMarker(comment.body, key))
    .sort((a, b) => a.id - b.id);
}

type Raw = Endpoints['GET /repos/{owner}/{repo}/issues/{issue_number}/comments']['response']['data'][number];

function toComment(gh: GitHub, raw: Raw): Comment {
  return {
    id: toId(raw.id),
    url: raw.html_url,
    body: raw.body ?? '',
    authorId: toId(raw.user?.id),
    authorLogin: raw.user?.login,
    ours: isOurs(gh, raw),
    createdAt: new Date(raw.created_at),
  };
}

// A person can copy a marker into a comment of theirs, and another bot can quote one.
function isOurs(gh: GitHub, { user, performed_via_github_app: app }: Raw): boolean {
  if (user?.type !== 'Bot') return false;
  if (!app) return true;
  return String(app.id) === gh.appId || app.client_id === gh.appId;
}

function isGone(kind: string): boolean {
  return kind === 'not_found' || kind === 'gone';
}

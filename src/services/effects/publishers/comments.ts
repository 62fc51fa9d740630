import { crashPoint } from '../../../crash-point.ts';
import { noteSending, noteUnsent } from '../../../db/effects.ts';
import type { RepoRef } from '../../../github/client.ts';
import { type Comment, createComment, deleteComment, findCommentByMarker } from '../../../github/comments.ts';
import { isUnclear } from '../../../github/explain.ts';
import { marker } from '../../../github/markers.ts';
import type { Deps } from '../../deps.ts';
import type { Notice } from '../../spec/outcome.ts';
import { renderLacking, renderRefusal, renderUnverified, renderUnvouched } from '../../status/comments.ts';
import { artifactsText, noticeText } from '../../status/notices.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

interface Note {
  readonly issue: number;
  readonly text: string;
}

/** GitHub's lists lag: what was sent in doubt is looked for so long, at each attempt, before it is sent again. */
const LOOK_SECONDS = 12;

/** Posts a comment once: it carries the effect's key in a hidden marker, by which a lost answer is found again. */
async function postOnce(deps: Deps, publishing: Publishing, note: Note): Promise<Published> {
  const { effect, repo, unclearSeconds } = publishing;
  const key = effect.effect_key;
  if (unclearSeconds !== null) {
    const { first } = await keepFirst(deps, repo, { issue: note.issue, key });
    if (first) return { kind: 'done', externalId: String(first.id) };
    if (unclearSeconds < LOOK_SECONDS) return { kind: 'unseen' };
  }
  await noteSending(deps.db, key);
  crashPoint('effect.before-create');
  const body = `${note.text}\n\n${marker(key)}`;
  try {
    const made = await createComment(deps.github, repo, { issue: note.issue, body });
    const again = unclearSeconds === null ? {} : { maybeTwice: { issue: note.issue } };
    return { kind: 'done', externalId: String(made.id), ...again };
  } catch (error) {
    if (!isUnclear(error)) await noteUnsent(deps.db, key);
    throw error;
  }
}

/** Our comment with this key, if it is there; surplus copies, so many, are removed. */
export async function keepFirst(
  deps: Deps,
  repo: RepoRef,
  of: { readonly issue: number; readonly key: string },
): Promise<{ readonly first: Comment | undefined; readonly surplus: number }> {
  const [first, ...surplus] = await findCommentByMarker(deps.github, repo, of);
  for (const copy of surplus) await deleteComment(deps.github, repo, copy.id);
  return { first, surplus: surplus.length };
}

/** The accepted artifacts, collapsed, in one comment. */
export async function publishArtifacts(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  return postOnce(deps, publishing, { issue: spec.issue_number, text: await artifactsText(deps, spec) });
}

/** What needs a person, as a comment of its own that mentions them. */
export async function publishNotice(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  const notice = publishing.effect.payload.notice as Notice;
  // Somebody asked again before it could be posted, and the words would be those of the new attempt.
  const overtaken = notice !== 'pull_ready' && !publishing.effect.effect_key.endsWith(`/${spec.round}`);
  if (overtaken) return { kind: 'done', externalId: 'not needed: it was tried again' };
  return postOnce(deps, publishing, {
    issue: spec.issue_number,
    text: await noticeText(deps, { spec, notice }),
  });
}

/** Why a request was refused. The effect's key allows one a person, repository and day. */
export async function publishRefusal(deps: Deps, publishing: Publishing): Promise<Published> {
  const { issue, login, label } = publishing.effect.payload as {
    issue: number;
    login: string;
    label: string;
  };
  return postOnce(deps, publishing, { issue, text: renderRefusal({ sender: login, label, isBot: false }) });
}

/** The installation grants too little to start anything, but enough to say so. */
export async function publishLacking(deps: Deps, publishing: Publishing): Promise<Published> {
  const { issue, login, label, problems } = publishing.effect.payload as {
    issue: number;
    login: string;
    label: string;
    problems: string[];
  };
  return postOnce(deps, publishing, { issue, text: renderLacking({ sender: login, label, problems }) });
}

/** GitHub did not say in time who asked, or the text was changed since. */
export async function publishUnverified(deps: Deps, publishing: Publishing): Promise<Published> {
  const { issue, login, label, changed } = publishing.effect.payload as {
    issue: number;
    login: string;
    label: string;
    changed?: boolean;
  };
  const render = changed ? renderUnvouched : renderUnverified;
  return postOnce(deps, publishing, { issue, text: render({ sender: login, label }) });
}

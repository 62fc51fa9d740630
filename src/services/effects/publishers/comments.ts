import { createComment, deleteComment, findCommentByMarker } from '../../../github/comments.ts';
import { marker } from '../../../github/markers.ts';
import type { Deps } from '../../deps.ts';
import type { Notice } from '../../spec/outcome.ts';
import { renderRefusal, renderUnverified } from '../../status/comments.ts';
import { artifactsText, noticeText } from '../../status/notices.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

interface Note {
  readonly issue: number;
  readonly text: string;
}

/** Posts a comment once: it carries the effect's key in a hidden marker, by which a lost answer is found again. */
async function postOnce(deps: Deps, publishing: Publishing, note: Note): Promise<Published> {
  const { effect, repo, triedBefore } = publishing;
  const key = effect.effect_key;
  if (triedBefore) {
    const [first, ...surplus] = await findCommentByMarker(deps.github, repo, { issue: note.issue, key });
    for (const copy of surplus) await deleteComment(deps.github, repo, copy.id);
    if (first) return { kind: 'done', externalId: String(first.id) };
  }
  const body = `${note.text}\n\n${marker(key)}`;
  const made = await createComment(deps.github, repo, { issue: note.issue, body });
  return { kind: 'done', externalId: String(made.id) };
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

/** GitHub did not say in time who asked. */
export async function publishUnverified(deps: Deps, publishing: Publishing): Promise<Published> {
  const { issue, login, label } = publishing.effect.payload as {
    issue: number;
    login: string;
    label: string;
  };
  return postOnce(deps, publishing, { issue, text: renderUnverified({ sender: login, label }) });
}

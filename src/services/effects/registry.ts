import { FatalError } from '../../errors.ts';
import type { Publisher } from './publisher.ts';
import {
  publishArtifacts,
  publishLacking,
  publishNotice,
  publishRefusal,
  publishUnverified,
} from './publishers/comments.ts';
import { createBranch } from './publishers/create-branch.ts';
import { deleteBranch } from './publishers/delete-branch.ts';
import { deleteCheckpoint } from './publishers/delete-checkpoint.ts';
import { addLabel, dropLabel } from './publishers/labels.ts';
import { moveBranch } from './publishers/move-branch.ts';
import { openPull } from './publishers/open-pull.ts';
import { acknowledge, refuse } from './publishers/reactions.ts';

const publishers: Readonly<Record<string, Publisher>> = {
  acknowledge,
  refuse,
  refusal_comment: publishRefusal,
  unverified_comment: publishUnverified,
  lacking_comment: publishLacking,
  create_branch: createBranch,
  publish_artifacts: publishArtifacts,
  move_branch: moveBranch,
  open_pull: openPull,
  notify: publishNotice,
  add_label: addLabel,
  remove_label: dropLabel,
  delete_branch: deleteBranch,
  delete_checkpoint: deleteCheckpoint,
};

/** The publisher of one kind of effect. @throws FatalError for a kind that no version of this code wrote. */
export function publisherOf(kind: string): Publisher {
  const publisher = publishers[kind];
  if (!publisher) throw new FatalError(`no publisher for effect kind "${kind}"`);
  return publisher;
}

import { findSpecByPull, type SpecRow } from '../db/specs.ts';
import type { Trx } from '../db/types.ts';
import type { SpecInput } from '../services/spec/inputs.ts';
import { defineHandler, type Handler, ignored } from './handler.ts';
import { type PullRequestEvent, pullRequestEvent } from './payloads.ts';
import { tell } from './tell.ts';

/** A handler for one action: finds the spec whose branch this is and tells it. */
function onPull(inputOf: (payload: PullRequestEvent) => SpecInput): Handler {
  return defineHandler<PullRequestEvent>({
    payload: pullRequestEvent,
    async decide(deps, unit, { payload }) {
      const spec = await specOf(unit.trx, payload);
      if (!spec) return ignored('the pull request belongs to no spec');
      return tell(deps, unit, { spec, input: inputOf(payload) });
    },
  });
}

/** A fork can have a branch of the same name, so the head's repository counts too. */
async function specOf(trx: Trx, { repository, pull_request }: PullRequestEvent): Promise<SpecRow | null> {
  if (pull_request.head.repo?.id !== repository.id) return null;
  return findSpecByPull(trx, {
    repositoryId: repository.id,
    number: pull_request.number,
    branch: pull_request.head.ref,
  });
}

export const pullRequestOpened = onPull(({ pull_request: pull }) => ({
  type: 'pull_opened',
  number: pull.number,
  url: pull.html_url,
  headSha: pull.head.sha,
}));

export const pullRequestSynchronize = onPull(({ pull_request: pull }) => ({
  type: 'pull_updated',
  headSha: pull.head.sha,
}));

export const pullRequestReopened = onPull(({ sender }) => ({ type: 'pull_reopened', by: sender.login }));

export const pullRequestClosed = onPull(({ pull_request: pull, sender }) =>
  pull.merged
    ? {
        type: 'pull_merged',
        mergeSha: pull.merge_commit_sha ?? null,
        headSha: pull.head.sha,
        by: sender.login,
      }
    : { type: 'pull_closed', by: sender.login },
);

/**
 * The event says what happened, GitHub says whether it still holds and with which head: events come late and in any
 * order, and each order has to end alike.
 */
import { findSpecByPull, type SpecRow } from '../db/specs.ts';
import type { Db, Trx } from '../db/types.ts';
import { StaleError } from '../errors.ts';
import { type Pull, readPull } from '../github/pulls.ts';
import type { SpecInput } from '../services/spec/inputs.ts';
import { defineHandler, type Gathered, type Handler, ignored } from './handler.ts';
import { type PullRequestEvent, pullRequestEvent } from './payloads.ts';
import { repoRefOf } from './repo.ts';
import { tell } from './tell.ts';

/** A pull request as it is now; as the event has it where GitHub no longer knows it. */
type Now = Pick<Pull, 'state' | 'merged' | 'mergeSha' | 'headSha'>;

/** What a spec is told of an event, in this order; a text says why the event holds no more. */
type Facts = (event: PullRequestEvent, now: Now, spec: SpecRow) => readonly SpecInput[] | string;

const isOpened: Facts = (event, now) => [opened(event, now)];

/** A merge is final, and a spec that follows the pull request learns nothing from its opening. */
function isSettled({ pull_request: pull }: PullRequestEvent, factsOf: Facts, spec: SpecRow): boolean {
  return pull.merged === true || (factsOf === isOpened && spec.pull_request_number === pull.number);
}

/** A handler for one action: finds the spec whose branch this is and tells it. */
function onPull(factsOf: Facts): Handler {
  return defineHandler<PullRequestEvent>({
    payload: pullRequestEvent,
    async gather(deps, payload) {
      const spec = await specOf(deps.db, payload);
      if (!spec || isSettled(payload, factsOf, spec)) return {};
      const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
      return { pull: await readPull(github, repoRefOf(payload), payload.pull_request.number) };
    },
    async decide(deps, unit, { payload, gathered }) {
      const spec = await specOf(unit.trx, payload);
      if (!spec) return ignored('the pull request belongs to no spec');
      const now = nowOf(payload, gathered, isSettled(payload, factsOf, spec));
      const facts = factsOf(payload, now, spec);
      if (typeof facts === 'string') return ignored(facts);
      const [last, ...earlier] = facts.toReversed();
      for (const input of earlier.toReversed()) await tell(deps, unit, { spec, input });
      return tell(deps, unit, { spec, input: last! });
    },
  });
}

/** A fork can have a branch of the same name, so the head's repository counts too. */
async function specOf(db: Db | Trx, { repository, pull_request }: PullRequestEvent): Promise<SpecRow | null> {
  if (pull_request.head.repo?.id !== repository.id) return null;
  return findSpecByPull(db, {
    repositoryId: repository.id,
    number: pull_request.number,
    branch: pull_request.head.ref,
  });
}

function nowOf({ pull_request: pull }: PullRequestEvent, gathered: Gathered, settled: boolean): Now {
  const asked = gathered.pull as Awaited<ReturnType<typeof readPull>> | undefined;
  if (asked?.kind === 'found') return asked;
  if (!asked && !settled) throw new StaleError('the spec came while the questions were asked');
  return {
    state: pull.merged || asked ? 'closed' : 'open',
    merged: pull.merged ?? false,
    mergeSha: pull.merge_commit_sha ?? undefined,
    headSha: pull.head.sha,
  };
}

function opened({ pull_request: pull }: PullRequestEvent, { headSha }: Now): SpecInput {
  return { type: 'pull_opened', number: pull.number, url: pull.html_url, headSha };
}

function merged({ pull_request: pull, sender }: PullRequestEvent, now: Now): SpecInput {
  const { mergeSha = null, headSha } = now;
  const { number, html_url: url } = pull;
  return { type: 'pull_merged', mergeSha, headSha, by: sender.login, pull: { number, url } };
}

export const pullRequestOpened = onPull(isOpened);

export const pullRequestSynchronize = onPull((_event, { headSha }, spec) =>
  spec.head_sha === headSha ? 'the spec knows this head' : [{ type: 'pull_updated', headSha }],
);

export const pullRequestReopened = onPull(({ sender }, { state }) =>
  state === 'open' ? [{ type: 'pull_reopened', by: sender.login }] : 'the pull request is closed again',
);

/** The end can be the first that is heard of a pull request. */
export const pullRequestClosed = onPull((event, now, { status }) => {
  if (now.merged) return [merged(event, now)];
  if (now.state === 'open') return 'the pull request is open again';
  const closed: SpecInput = { type: 'pull_closed', by: event.sender.login };
  return status === 'publishing' || status === 'pr_failed' ? [opened(event, now), closed] : [closed];
});

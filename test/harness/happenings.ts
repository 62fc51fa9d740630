/** What people do to repositories and accounts while a spec is at work, and what has to become of the spec. */
import type { SpecRow } from '../../src/db/specs.ts';
import { phases } from '../../src/services/spec/states.ts';
import type { Line } from './line.ts';

/** One repository of its own, in an account of its own with its own installation. */
export interface Place {
  readonly line: Line;
  readonly owner: string;
  readonly repo: string;
  readonly installationId: number;
  readonly elsewhere: { readonly installed: string; readonly strange: string };
  readonly issue: number;
  spec(): Promise<SpecRow>;
  api<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T>;
}

export interface Happening {
  readonly name: string;
  /** False where there is nothing yet that it could happen to. */
  possible?(stage: Stage): boolean;
  happen(place: Place): unknown;
  /** The statuses in which the spec may come to rest; `paused` is a hold. */
  ends(stage: Stage): readonly string[];
}

export const stages = ['queued', ...phases, 'in_review'] as const;
export type Stage = (typeof stages)[number];

const inReview = (stage: Stage) => stage === 'in_review';
const goesOn = () => ['in_review'];
const cancelled = () => ['cancelled'];

function fullName({ owner, repo }: Place): string {
  return `${owner}/${repo}`;
}

async function branchOf(place: Place): Promise<string | null> {
  const { branch_name: name } = await place.spec();
  const { branches } = (await place.line.github.state()).repos[fullName(place)]!;
  return name !== null && name in branches ? name : null;
}

/** A commit of a person on top of the base, in place of whatever the branch has. */
async function forcePush(place: Place): Promise<void> {
  const branch = await branchOf(place);
  if (branch === null) return;
  const { object } = await place.api<{ object: { sha: string } }>('GET', '/git/ref/heads/main');
  const base = await place.api<{ tree: { sha: string } }>('GET', `/git/commits/${object.sha}`);
  const commit = await place.api<{ sha: string }>('POST', '/git/commits', {
    message: 'By hand',
    tree: base.tree.sha,
    parents: [object.sha],
  });
  await place.api('PATCH', `/git/refs/heads/${branch}`, { sha: commit.sha, force: true });
}

/** As GitHub does it: the new name first, then the default, then the old name goes. */
async function renameBase(place: Place): Promise<void> {
  const { object } = await place.api<{ object: { sha: string } }>('GET', '/git/ref/heads/main');
  await place.api('POST', '/git/refs', { ref: 'refs/heads/trunk', sha: object.sha });
  await place.line.github.setDefaultBranch(fullName(place), 'trunk');
  await place.api('DELETE', '/git/refs/heads/main');
}

export const happenings: readonly Happening[] = [
  {
    name: 'the repository is renamed',
    happen: (place) => place.line.github.renameRepository(fullName(place), 'renamed'),
    ends: goesOn,
  },
  {
    name: 'the repository is transferred to an account with the App',
    happen: (place) => place.line.github.transferRepository(fullName(place), place.elsewhere.installed),
    ends: goesOn,
  },
  {
    name: 'the repository is transferred to an account without the App',
    happen: (place) => place.line.github.transferRepository(fullName(place), place.elsewhere.strange),
    ends: cancelled,
  },
  {
    name: 'the repository is archived',
    happen: (place) => place.line.github.archiveRepository(fullName(place), true),
    ends: cancelled,
  },
  {
    name: 'the repository is deleted',
    happen: (place) => place.line.github.deleteRepository(fullName(place)),
    ends: cancelled,
  },
  {
    name: 'the repository is made private',
    happen: (place) => place.line.github.setPrivate(fullName(place), true),
    ends: goesOn,
  },
  {
    name: 'the branch is deleted by hand',
    async happen(place) {
      const branch = await branchOf(place);
      if (branch !== null) await place.api('DELETE', `/git/refs/heads/${branch}`);
    },
    // GitHub closes a pull request whose branch is gone; before that, publishing makes the branch again.
    ends: (stage) => (inReview(stage) ? ['closed'] : ['in_review', 'pr_failed']),
  },
  {
    name: 'the branch is force-pushed by hand',
    happen: forcePush,
    // What a person wrote is never overwritten: the work then waits for somebody.
    ends: (stage) => (inReview(stage) ? ['in_review'] : ['in_review', 'pr_failed', 'failed']),
  },
  {
    name: 'the pull request is merged by hand',
    possible: inReview,
    happen: async (place) => place.api('PUT', `/pulls/${(await place.spec()).pull_request_number}/merge`, {}),
    ends: () => ['merged'],
  },
  {
    name: 'the pull request is closed by hand',
    possible: inReview,
    happen: async (place) =>
      place.api('PATCH', `/pulls/${(await place.spec()).pull_request_number}`, { state: 'closed' }),
    ends: () => ['closed'],
  },
  {
    name: 'the base branch is renamed',
    happen: renameBase,
    ends: () => ['in_review', 'pr_failed', 'closed', 'failed'],
  },
  {
    name: 'the installation is suspended',
    happen: ({ line, installationId }) => line.github.suspendInstallation(installationId),
    ends: () => ['paused'],
  },
  {
    name: 'the App is uninstalled',
    happen: ({ line, installationId }) => line.github.uninstall(installationId),
    ends: cancelled,
  },
  {
    name: 'the repository is taken out of the installation',
    happen: (place) => place.line.github.excludeRepository(place.installationId, fullName(place)),
    ends: cancelled,
  },
];

import { type NamedChanges, namesChanged } from '../git/diff.ts';
import { isAncestor, listCommits } from '../git/history.ts';
import type { Commit, Person } from '../git/objects.ts';
import { listRefs, ZERO } from '../git/refs.ts';
import { type Account, accountOf, fullName, type Json, type Repository, type World } from '../state.ts';
import { accountByEmail, noreply } from './commit.ts';
import { comparePage } from './pull.ts';
import { repositoryJson } from './repository.ts';

export interface RefChange {
  readonly ref: string;
  readonly before: string;
  readonly after: string;
}

// GitHub cuts the list of a push at this length.
const MAX_COMMITS = 2048;

/** The commits that a push brought, oldest first. A new branch brings those that no other branch has. */
export async function pushedCommits(repo: Repository, change: RefChange): Promise<Commit[]> {
  if (change.after === ZERO) return [];
  const dir = repo.git.dir;
  const known = change.before !== ZERO ? change.before : await otherHead(repo, change.ref);
  if (known === change.after) return [];
  const shas = await listCommits(dir, { head: change.after, base: known, max: MAX_COMMITS });
  const commits = await Promise.all(shas.map((sha) => repo.git.commit(sha)));
  return commits.filter((commit) => commit !== null);
}

async function otherHead(repo: Repository, ref: string): Promise<string | undefined> {
  const main = `refs/heads/${repo.defaultBranch}`;
  const head = ref === main ? null : await repo.git.read(main);
  if (head) return head.sha;
  return (await listRefs(repo.git.dir, 'refs/heads/')).find((one) => one.ref !== ref)?.sha;
}

/** The `push` webhook's own fields. */
export async function pushJson(
  world: World,
  repo: Repository,
  push: { change: RefChange; pusher: Account },
): Promise<Json> {
  const { change, pusher } = push;
  const created = change.before === ZERO;
  const deleted = change.after === ZERO;
  const commits = await pushedCommits(repo, change);
  const head = deleted ? null : await repo.git.commit(change.after);
  const forced = !created && !deleted && !(await isAncestor(repo.git.dir, change.before, change.after));
  const all = head ? [...commits, head] : commits;
  const changes = await namesChanged(repo.git.dir, [...new Set(all.map((commit) => commit.sha))]);
  const range =
    created || deleted
      ? change.ref.replace(/^refs\/[^/]+\//, '')
      : `${change.before.slice(0, 12)}...${change.after.slice(0, 12)}`;
  return {
    ref: change.ref,
    before: change.before,
    after: change.after,
    repository: pushRepository(world, repo),
    pusher: { name: pusher.login, email: noreply(pusher) },
    created,
    deleted,
    forced,
    base_ref: null,
    compare: comparePage(world, repo, range),
    commits: commits.map((commit) => pushCommit(world, repo, { commit, changes: changes.get(commit.sha) })),
    head_commit: head && pushCommit(world, repo, { commit: head, changes: changes.get(head.sha) }),
  };
}

/** In this event alone GitHub writes times as epoch seconds and names the owner twice. */
function pushRepository(world: World, repo: Repository): Json {
  const json = repositoryJson(world, repo);
  const owner = accountOf(world, repo.ownerId);
  return {
    ...json,
    owner: { name: owner.login, email: null, ...(json.owner as Json) },
    created_at: Math.floor(repo.createdAt.getTime() / 1000),
    pushed_at: Math.floor(repo.pushedAt.getTime() / 1000),
    stargazers: 0,
    master_branch: repo.defaultBranch,
    ...(owner.type === 'Organization' ? { organization: owner.login } : {}),
  };
}

function pushCommit(
  world: World,
  repo: Repository,
  one: { commit: Commit; changes: NamedChanges | undefined },
): Json {
  const { commit, changes } = one;
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date.toISOString().replace(/\.\d+Z$/, 'Z'),
    url: `${world.url}/${fullName(world, repo)}/commit/${commit.sha}`,
    author: pushPerson(world, commit.author),
    committer: pushPerson(world, commit.committer),
    added: changes?.added ?? [],
    removed: changes?.removed ?? [],
    modified: changes?.modified ?? [],
  };
}

function pushPerson(world: World, person: Person): Json {
  const account = accountByEmail(world, person.email);
  return { name: person.name, email: person.email, ...(account ? { username: account.login } : {}) };
}

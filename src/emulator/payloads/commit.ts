import type { ChangedFile } from '../git/diff.ts';
import type { Commit, Person } from '../git/objects.ts';
import { type Account, fullName, type Json, nodeId, type Repository, stamp, type World } from '../state.ts';
import { userJson } from './accounts.ts';
import { repositoryApi } from './repository.ts';

/** The address that commits made through the API carry. */
export function noreply(account: Account): string {
  return `${account.id}+${account.login}@users.noreply.github.com`;
}

/** The account that a commit's address belongs to; only no-reply addresses are known. */
export function accountByEmail(world: World, email: string): Account | null {
  const id = /^(\d+)\+.*@users\.noreply\.github\.com$/.exec(email)?.[1];
  return (id && world.accounts.get(Number(id))) || null;
}

function personJson(person: Person): Json {
  return { name: person.name, email: person.email, date: stamp(person.date) };
}

const UNVERIFIED = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

function verificationOf(repo: Repository, commit: Commit): Json {
  if (!repo.signedCommits.has(commit.sha)) return UNVERIFIED;
  return {
    verified: true,
    reason: 'valid',
    signature: '-----BEGIN PGP SIGNATURE-----\n\n(the emulator signs nothing)\n-----END PGP SIGNATURE-----\n',
    payload: `tree ${commit.tree}\n`,
    verified_at: stamp(commit.committer.date),
  };
}

/** A commit as the Git database routes show it. */
export function gitCommitJson(world: World, repo: Repository, commit: Commit): Json {
  const git = `${repositoryApi(world, repo)}/git`;
  const page = `${world.url}/${fullName(world, repo)}/commit`;
  return {
    sha: commit.sha,
    node_id: nodeId('C', Number.parseInt(commit.sha.slice(0, 8), 16)),
    url: `${git}/commits/${commit.sha}`,
    html_url: `${page}/${commit.sha}`,
    author: personJson(commit.author),
    committer: personJson(commit.committer),
    tree: { sha: commit.tree, url: `${git}/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({ sha, url: `${git}/commits/${sha}`, html_url: `${page}/${sha}` })),
    verification: verificationOf(repo, commit),
  };
}

/** A commit as commit lists, comparisons and pull requests show it. */
export function commitJson(world: World, repo: Repository, commit: Commit): Json {
  const base = repositoryApi(world, repo);
  const page = `${world.url}/${fullName(world, repo)}/commit`;
  const author = accountByEmail(world, commit.author.email);
  const committer = accountByEmail(world, commit.committer.email);
  return {
    url: `${base}/commits/${commit.sha}`,
    sha: commit.sha,
    node_id: nodeId('C', Number.parseInt(commit.sha.slice(0, 8), 16)),
    html_url: `${page}/${commit.sha}`,
    comments_url: `${base}/commits/${commit.sha}/comments`,
    commit: {
      url: `${base}/git/commits/${commit.sha}`,
      author: personJson(commit.author),
      committer: personJson(commit.committer),
      message: commit.message,
      tree: { sha: commit.tree, url: `${base}/git/trees/${commit.tree}` },
      comment_count: 0,
      verification: verificationOf(repo, commit),
    },
    author: author && userJson(world, author),
    committer: committer && userJson(world, committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${base}/commits/${sha}`,
      html_url: `${page}/${sha}`,
    })),
  };
}

/** A changed file of a commit, comparison or pull request; `ref` is the commit that has its new content. */
export function fileJson(world: World, repo: Repository, at: { file: ChangedFile; ref: string }): Json {
  const { file, ref } = at;
  const page = `${world.url}/${fullName(world, repo)}`;
  const path = file.path.split('/').map(encodeURIComponent).join('/');
  return {
    sha: file.sha,
    filename: file.path,
    status: file.status,
    additions: file.additions,
    deletions: file.deletions,
    changes: file.additions + file.deletions,
    blob_url: `${page}/blob/${ref}/${path}`,
    raw_url: `${page}/raw/${ref}/${path}`,
    contents_url: `${repositoryApi(world, repo)}/contents/${path}?ref=${ref}`,
    ...(file.patch === null ? {} : { patch: file.patch }),
    ...(file.previousPath === null ? {} : { previous_filename: file.previousPath }),
  };
}

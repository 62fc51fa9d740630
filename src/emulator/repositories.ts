import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { emit } from './events.ts';
import { editTree } from './git/edit.ts';
import { updateRef, ZERO } from './git/refs.ts';
import { createStore, setHead } from './git/store.ts';
import { tellReach } from './installations.ts';
import { organizationJson, userJson } from './payloads/accounts.ts';
import { noreply } from './payloads/commit.ts';
import { shortRepositoryJson } from './payloads/repository.ts';
import {
  type Account,
  accountOf,
  covers,
  findAccount,
  findRepository,
  fullName,
  type Installation,
  type Json,
  mustRepository,
  nextId,
  now,
  type Repository,
  serially,
  type World,
} from './state.ts';

export type FileContent =
  | string
  | { readonly content: string | Buffer; readonly mode: '100644' | '100755' | '120000' };

export interface NewRepository {
  /** Login of the owner. */
  readonly owner: string;
  readonly name: string;
  /** Content by path; without any file the repository is empty. */
  readonly files: Readonly<Record<string, FileContent>>;
  readonly defaultBranch?: string;
  readonly private?: boolean;
  readonly description?: string;
  /** False when unset, as on GitHub. */
  readonly allowAutoMerge?: boolean;
}

// The labels that every new repository has.
const LABELS: readonly (readonly [string, string, string])[] = [
  ['bug', 'd73a4a', "Something isn't working"],
  ['documentation', '0075ca', 'Improvements or additions to documentation'],
  ['duplicate', 'cfd3d7', 'This issue or pull request already exists'],
  ['enhancement', 'a2eeef', 'New feature or request'],
  ['good first issue', '7057ff', 'Good for newcomers'],
  ['help wanted', '008672', 'Extra attention is needed'],
  ['invalid', 'e4e669', "This doesn't seem right"],
  ['question', 'd876e3', 'Further information is requested'],
  ['wontfix', 'ffffff', 'This will not be worked on'],
];

/** Makes a real bare repository with one commit, and tells installations on all of the owner's repositories. */
export async function addRepository(world: World, fresh: NewRepository): Promise<Repository> {
  const owner = findAccount(world, fresh.owner);
  if (!owner) throw new Error(`the emulator has no account ${fresh.owner}`);
  if (findRepository(world, `${fresh.owner}/${fresh.name}`))
    throw new Error(`${fresh.owner}/${fresh.name} exists`);
  const id = nextId(world);
  const defaultBranch = fresh.defaultBranch ?? 'main';
  const at = now(world);
  const repo: Repository = {
    id,
    git: await createStore(join(world.root, `${id}.git`), defaultBranch),
    createdAt: at,
    issues: new Map(),
    commentOwners: new Map(),
    labels: new Map(),
    collaborators: new Map(),
    checkRuns: [],
    statuses: [],
    name: fresh.name,
    ownerId: owner.id,
    description: fresh.description ?? null,
    defaultBranch,
    private: fresh.private ?? false,
    archived: false,
    allowsAutoMerge: fresh.allowAutoMerge ?? false,
    rules: [],
    signedCommits: new Set(),
    updatedAt: at,
    pushedAt: at,
    writes: Promise.resolve(),
  };
  for (const [name, color, description] of LABELS) {
    repo.labels.set(name, { id: nextId(world), name, color, description, isDefault: true });
  }
  await firstCommit(world, repo, { owner, files: fresh.files });
  world.repositories.set(id, repo);
  world.formerNames.delete(fullName(world, repo).toLowerCase());
  for (const installation of installationsOnAll(world, repo)) {
    tellReach(world, installation, { added: [shortRepositoryJson(world, repo)] });
  }
  return repo;
}

function installationsOnAll(world: World, repo: Repository): Installation[] {
  return [...world.installations.values()].filter((one) => one.selection === 'all' && covers(one, repo));
}

async function firstCommit(
  world: World,
  repo: Repository,
  first: { owner: Account; files: NewRepository['files'] },
): Promise<void> {
  const files = Object.entries(first.files);
  if (files.length === 0) return;
  const edits = await Promise.all(
    files.map(async ([path, file]) => {
      const { content, mode } = typeof file === 'string' ? { content: file, mode: '100644' } : file;
      return { path, mode, sha: await repo.git.writeBlob(Buffer.from(content)) };
    }),
  );
  const person = { name: first.owner.login, email: noreply(first.owner), date: now(world) };
  const tree = await editTree(repo.git, null, edits);
  const sha = await repo.git.writeCommit({
    tree,
    parents: [],
    author: person,
    committer: person,
    message: 'Initial commit',
  });
  await updateRef(repo.git.dir, { ref: `refs/heads/${repo.defaultBranch}`, before: ZERO, after: sha });
}

async function tell(world: World, repo: Repository, event: { action: string; fields?: Json }): Promise<void> {
  const sender = accountOf(world, repo.ownerId);
  await emit(world, repo, {
    event: 'repository',
    action: event.action,
    sender,
    build: () => event.fields ?? {},
  });
}

/** Renames a repository; the old name is redirected. Sends `repository.renamed`. */
export function renameRepository(world: World, name: string, to: string): Promise<void> {
  const repo = mustRepository(world, name);
  return serially(repo, async () => {
    const from = repo.name;
    world.formerNames.set(fullName(world, repo).toLowerCase(), repo.id);
    repo.name = to;
    await tell(world, repo, { action: 'renamed', fields: { changes: { repository: { name: { from } } } } });
  });
}

/** Gives a repository to another account: installations of the old owner lose it, those of the new one hear `repository.transferred`. */
export function transferRepository(world: World, name: string, to: string): Promise<void> {
  const repo = mustRepository(world, name);
  const receiver = findAccount(world, to);
  if (!receiver) throw new Error(`the emulator has no account ${to}`);
  return serially(repo, async () => {
    const from = accountOf(world, repo.ownerId);
    const losing = [...world.installations.values()].filter((one) => covers(one, repo));
    const short = shortRepositoryJson(world, repo);
    world.formerNames.set(fullName(world, repo).toLowerCase(), repo.id);
    repo.ownerId = receiver.id;
    for (const installation of losing) {
      installation.repositoryIds.delete(repo.id);
      tellReach(world, installation, { removed: [short] });
    }
    for (const one of installationsOnAll(world, repo))
      tellReach(world, one, { added: [shortRepositoryJson(world, repo)] });
    const owner =
      from.type === 'Organization'
        ? { organization: organizationJson(world, from) }
        : { user: userJson(world, from) };
    await tell(world, repo, { action: 'transferred', fields: { changes: { owner: { from: owner } } } });
  });
}

/** Makes a repository read-only, or writable again. Sends `repository.archived` or `unarchived`. */
export function archiveRepository(world: World, name: string, archived: boolean): Promise<void> {
  const repo = mustRepository(world, name);
  return serially(repo, async () => {
    repo.archived = archived;
    await tell(world, repo, { action: archived ? 'archived' : 'unarchived' });
  });
}

/** Hides a repository from strangers, or shows it. Sends `repository.privatized` or `publicized`. */
export function setPrivate(world: World, name: string, hidden: boolean): Promise<void> {
  const repo = mustRepository(world, name);
  return serially(repo, async () => {
    repo.private = hidden;
    await tell(world, repo, { action: hidden ? 'privatized' : 'publicized' });
  });
}

/** Makes another branch the default one. Sends `repository.edited`. */
export function setDefaultBranch(world: World, name: string, branch: string): Promise<void> {
  const repo = mustRepository(world, name);
  return serially(repo, async () => {
    const from = repo.defaultBranch;
    await setHead(repo.git.dir, branch);
    repo.defaultBranch = branch;
    await tell(world, repo, { action: 'edited', fields: { changes: { default_branch: { from } } } });
  });
}

/** Removes a repository for good. Sends `repository.deleted` and, to installations of selected ones, `installation_repositories.removed`. */
export function deleteRepository(world: World, name: string): Promise<void> {
  const repo = mustRepository(world, name);
  return serially(repo, async () => {
    const losing = [...world.installations.values()].filter(
      (one) => one.selection === 'selected' && covers(one, repo),
    );
    const short = shortRepositoryJson(world, repo);
    await tell(world, repo, { action: 'deleted' });
    world.repositories.delete(repo.id);
    for (const installation of losing) {
      installation.repositoryIds.delete(repo.id);
      tellReach(world, installation, { removed: [short] });
    }
    repo.git.close();
    await rm(repo.git.dir, { recursive: true, force: true });
  });
}

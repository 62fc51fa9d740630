import { listRefs } from './git/refs.ts';
import { isPull } from './issue-actions.ts';
import { issuePage } from './payloads/issue.ts';
import {
  accountOf,
  type Comment,
  fullName,
  type Issue,
  type PullIssue,
  type Repository,
  type World,
} from './state.ts';

export interface CommentState {
  id: number;
  author: string;
  body: string;
  minimized: string | null;
}

export interface ReactionState {
  user: string;
  content: string;
}

export interface IssueState {
  number: number;
  title: string;
  body: string | null;
  author: string;
  state: 'open' | 'closed';
  stateReason: string | null;
  labels: string[];
  comments: CommentState[];
  reactions: ReactionState[];
  url: string;
}

export interface PullState extends Omit<IssueState, 'stateReason'> {
  merged: boolean;
  mergeSha: string | null;
  draft: boolean;
  head: { ref: string; sha: string };
  base: { ref: string; sha: string };
}

export interface RepositoryState {
  id: number;
  fullName: string;
  defaultBranch: string;
  private: boolean;
  archived: boolean;
  gitDir: string;
  /** Sha by branch name. */
  branches: Record<string, string>;
  tags: Record<string, string>;
  /** Sha by full name, of every ref that is no branch, no tag and no `refs/pull/…`. */
  hiddenRefs: Record<string, string>;
  labels: string[];
  issues: IssueState[];
  pulls: PullState[];
}

export interface EmulatorState {
  /** By full name. */
  repos: Record<string, RepositoryState>;
}

/** What the emulated GitHub looks like now: plain data that later changes do not touch. */
export async function snapshot(world: World): Promise<EmulatorState> {
  const repos = await Promise.all(
    [...world.repositories.values()].map((repo) => repositoryState(world, repo)),
  );
  return { repos: Object.fromEntries(repos.map((repo) => [repo.fullName, repo])) };
}

async function repositoryState(world: World, repo: Repository): Promise<RepositoryState> {
  const refs = await listRefs(repo.git.dir);
  const under = (prefix: string) =>
    Object.fromEntries(
      refs.filter((one) => one.ref.startsWith(prefix)).map((one) => [one.ref.slice(prefix.length), one.sha]),
    );
  const plain = /^refs\/(heads|tags|pull)\//;
  const issues = [...repo.issues.values()];
  return {
    id: repo.id,
    fullName: fullName(world, repo),
    defaultBranch: repo.defaultBranch,
    private: repo.private,
    archived: repo.archived,
    gitDir: repo.git.dir,
    branches: under('refs/heads/'),
    tags: under('refs/tags/'),
    hiddenRefs: Object.fromEntries(
      refs.filter((one) => !plain.test(one.ref)).map((one) => [one.ref, one.sha]),
    ),
    labels: [...repo.labels.values()].map((label) => label.name),
    issues: issues.filter((issue) => !isPull(issue)).map((issue) => issueState(world, repo, issue)),
    pulls: issues.filter(isPull).map((issue) => pullState(world, repo, issue)),
  };
}

function commentState(world: World, comment: Comment): CommentState {
  return {
    id: comment.id,
    author: accountOf(world, comment.userId).login,
    body: comment.body,
    minimized: comment.minimized,
  };
}

function issueState(world: World, repo: Repository, issue: Issue): IssueState {
  return {
    number: issue.number,
    title: issue.title,
    body: issue.body,
    author: accountOf(world, issue.userId).login,
    state: issue.state,
    stateReason: issue.stateReason,
    labels: issue.labels.map((label) => label.name),
    comments: issue.comments.map((comment) => commentState(world, comment)),
    reactions: issue.reactions.map((one) => ({
      user: accountOf(world, one.userId).login,
      content: one.content,
    })),
    url: issuePage(world, repo, issue),
  };
}

function pullState(world: World, repo: Repository, issue: PullIssue): PullState {
  const { stateReason: _reason, ...common } = issueState(world, repo, issue);
  const { pull } = issue;
  return {
    ...common,
    merged: pull.mergedAt !== null,
    mergeSha: pull.mergeSha,
    draft: pull.draft,
    head: { ref: pull.headRef, sha: pull.headSha },
    base: { ref: pull.baseRef, sha: pull.baseSha },
  };
}

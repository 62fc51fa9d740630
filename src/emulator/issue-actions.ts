import { emit } from './events.ts';
import { commentJson, eventIssueJson } from './payloads/issue.ts';
import { fullPullJson } from './payloads/pull.ts';
import { labelJson } from './payloads/repository.ts';
import {
  type Account,
  accountOf,
  type Comment,
  type Issue,
  type IssueEvent,
  type Json,
  type Label,
  nextId,
  now,
  type Pull,
  type PullIssue,
  type Reaction,
  type Repository,
  type World,
} from './state.ts';

export interface Doing {
  readonly world: World;
  readonly repo: Repository;
  readonly by: Account;
}

export interface NewIssue {
  readonly title: string;
  readonly body: string | null;
  readonly appId: number | null;
  readonly pull: Pull | null;
}

/** Whether an issue is a pull request. */
export function isPull(issue: Issue): issue is PullIssue {
  return issue.pull !== null;
}

/** Adds an issue (or the issue of a pull request) under the next number; sends nothing. */
export function addIssue(doing: Doing, fresh: NewIssue): Issue {
  const at = now(doing.world);
  const issue: Issue = {
    id: nextId(doing.world),
    number: Math.max(0, ...doing.repo.issues.keys()) + 1,
    userId: doing.by.id,
    appId: fresh.appId,
    createdAt: at,
    updatedAt: at,
    comments: [],
    reactions: [],
    events: [],
    pull: fresh.pull,
    title: fresh.title,
    body: fresh.body,
    state: 'open',
    stateReason: null,
    labels: [],
    closedAt: null,
    closedById: null,
  };
  doing.repo.issues.set(issue.number, issue);
  return issue;
}

/** Sends `issues` or `pull_request`, whichever the issue is. */
export async function emitIssue(
  doing: Doing,
  issue: Issue,
  event: { action: string; fields?: Json },
): Promise<void> {
  const { world, repo, by } = doing;
  await emit(world, repo, {
    event: isPull(issue) ? 'pull_request' : 'issues',
    action: event.action,
    sender: by,
    build: async () => ({
      ...(isPull(issue)
        ? { number: issue.number, pull_request: await fullPullJson(world, repo, issue) }
        : { issue: eventIssueJson(world, repo, issue) }),
      ...event.fields,
    }),
  });
}

/** Finds a label by name, ignoring case, or makes it (grey) as GitHub does when an unknown one is put on an issue. */
export async function ensureLabel(doing: Doing, name: string): Promise<Label> {
  const known = doing.repo.labels.get(name.toLowerCase());
  if (known) return known;
  return addLabel(doing, { name, color: 'ededed', description: null });
}

/** Makes a label of the repository and sends `label.created`. */
export async function addLabel(
  doing: Doing,
  fresh: Pick<Label, 'name' | 'color' | 'description'>,
): Promise<Label> {
  const label: Label = { id: nextId(doing.world), isDefault: false, ...fresh };
  doing.repo.labels.set(label.name.toLowerCase(), label);
  await emitLabel(doing, label, { action: 'created' });
  return label;
}

/** Sends `label.{action}`. */
export async function emitLabel(
  doing: Doing,
  label: Label,
  event: { action: string; fields?: Json },
): Promise<void> {
  const { world, repo, by } = doing;
  await emit(world, repo, {
    event: 'label',
    action: event.action,
    sender: by,
    build: () => ({ label: labelJson(world, repo, label), ...event.fields }),
  });
}

/** Puts labels on an issue, one event for each that is new there. */
export async function attachLabels(doing: Doing, issue: Issue, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const label = await ensureLabel(doing, name);
    if (issue.labels.includes(label)) continue;
    issue.labels.push(label);
    record(doing, issue, { event: 'labeled', label });
    await emitIssue(doing, issue, {
      action: 'labeled',
      fields: { label: labelJson(doing.world, doing.repo, label) },
    });
  }
}

/** Takes a label off an issue; false when it is not on it. */
export async function detachLabel(doing: Doing, issue: Issue, name: string): Promise<boolean> {
  const label = issue.labels.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (!label) return false;
  issue.labels = issue.labels.filter((one) => one !== label);
  record(doing, issue, { event: 'unlabeled', label });
  await emitIssue(doing, issue, {
    action: 'unlabeled',
    fields: { label: labelJson(doing.world, doing.repo, label) },
  });
  return true;
}

/** Changes title and body and sends one `edited` that names the old values; nothing when nothing changes. */
export async function editIssue(
  doing: Doing,
  issue: Issue,
  to: { title?: string; body?: string | null; changes?: Json },
): Promise<void> {
  const changes: Json = { ...to.changes };
  if (to.title !== undefined && to.title !== issue.title) changes.title = { from: issue.title };
  if (to.body !== undefined && to.body !== issue.body) changes.body = { from: issue.body };
  if (Object.keys(changes).length === 0) return;
  issue.title = to.title ?? issue.title;
  issue.body = to.body === undefined ? issue.body : to.body;
  touch(doing, issue);
  await emitIssue(doing, issue, { action: 'edited', fields: { changes } });
}

/** Marks an issue closed without sending anything; false when it was closed already. */
export function markClosed(doing: Doing, issue: Issue, reason: string | null): boolean {
  if (issue.state === 'closed') return false;
  issue.state = 'closed';
  issue.stateReason = isPull(issue) ? null : (reason ?? 'completed');
  issue.closedAt = now(doing.world);
  issue.closedById = doing.by.id;
  record(doing, issue, { event: 'closed', label: null });
  return true;
}

/** Closes an issue or pull request and sends `closed`; nothing when it is closed. */
export async function closeIssue(doing: Doing, issue: Issue, reason: string | null = null): Promise<void> {
  if (markClosed(doing, issue, reason)) await emitIssue(doing, issue, { action: 'closed' });
}

/** Opens a closed issue or pull request again and sends `reopened`. */
export async function reopenIssue(doing: Doing, issue: Issue): Promise<void> {
  if (issue.state === 'open') return;
  issue.state = 'open';
  issue.stateReason = isPull(issue) ? null : 'reopened';
  issue.closedAt = null;
  issue.closedById = null;
  record(doing, issue, { event: 'reopened', label: null });
  await emitIssue(doing, issue, { action: 'reopened' });
}

/** Adds a comment and sends `issue_comment.created`. */
export async function addComment(
  doing: Doing,
  issue: Issue,
  fresh: { body: string; appId: number | null },
): Promise<Comment> {
  const at = now(doing.world);
  const comment: Comment = {
    id: nextId(doing.world),
    issueNumber: issue.number,
    userId: doing.by.id,
    appId: fresh.appId,
    createdAt: at,
    updatedAt: at,
    reactions: [],
    body: fresh.body,
    minimized: null,
  };
  issue.comments.push(comment);
  doing.repo.commentOwners.set(comment.id, issue);
  touch(doing, issue);
  await emitComment(doing, { issue, comment, action: 'created' });
  return comment;
}

/** Changes a comment's text and sends `issue_comment.edited` with the old one. */
export async function editComment(
  doing: Doing,
  at: { issue: Issue; comment: Comment },
  body: string,
): Promise<void> {
  const from = at.comment.body;
  at.comment.body = body;
  at.comment.updatedAt = now(doing.world);
  await emitComment(doing, { ...at, action: 'edited', fields: { changes: { body: { from } } } });
}

/** Removes a comment and sends `issue_comment.deleted`. */
export async function removeComment(doing: Doing, at: { issue: Issue; comment: Comment }): Promise<void> {
  at.issue.comments.splice(at.issue.comments.indexOf(at.comment), 1);
  doing.repo.commentOwners.delete(at.comment.id);
  await emitComment(doing, { ...at, action: 'deleted' });
}

async function emitComment(
  doing: Doing,
  event: { issue: Issue; comment: Comment; action: string; fields?: Json },
): Promise<void> {
  const { world, repo, by } = doing;
  await emit(world, repo, {
    event: 'issue_comment',
    action: event.action,
    sender: by,
    build: () => ({
      issue: eventIssueJson(world, repo, event.issue),
      comment: commentJson(world, repo, event.comment),
      ...event.fields,
    }),
  });
}

/** Adds a reaction, or finds the same one of the same account (`fresh: false`). */
export function react(
  doing: Doing,
  on: { reactions: Reaction[] },
  content: string,
): { reaction: Reaction; fresh: boolean } {
  const known = on.reactions.find((one) => one.userId === doing.by.id && one.content === content);
  if (known) return { reaction: known, fresh: false };
  const reaction = { id: nextId(doing.world), userId: doing.by.id, content, createdAt: now(doing.world) };
  on.reactions.push(reaction);
  return { reaction, fresh: true };
}

function record(doing: Doing, issue: Issue, entry: Pick<IssueEvent, 'event' | 'label'>): void {
  touch(doing, issue);
  const { world, by } = doing;
  issue.events.push({ id: nextId(world), actorId: by.id, createdAt: issue.updatedAt, ...entry });
}

function touch(doing: Doing, issue: Issue): void {
  issue.updatedAt = now(doing.world);
}

/** The issues that a text closes when it reaches the default branch: "Closes #3", "fixes owner/name#3". */
export function closedBy(doing: Doing, text: string): Issue[] {
  const full = `${accountOf(doing.world, doing.repo.ownerId).login}/${doing.repo.name}`.toLowerCase();
  const keyword = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+([\w.-]+\/[\w.-]+)?#(\d+)\b/gi;
  const numbers = [...text.matchAll(keyword)]
    .filter((match) => match[1] === undefined || match[1].toLowerCase() === full)
    .map((match) => Number(match[2]));
  return [...new Set(numbers)]
    .flatMap((number) => doing.repo.issues.get(number) ?? [])
    .filter((issue) => !isPull(issue));
}

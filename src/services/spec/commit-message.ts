import { cleanText, oneLine, plainTitle } from '../markdown/markdown.ts';

const SUBJECT_LENGTH = 72;
const BODY_WIDTH = 72;
const BODY_LENGTH = 1500;

export interface CommitMessageInput {
  /** A conventional type: feat, fix, docs … */
  readonly type: string;
  readonly title: string;
  /** What else a reader of the history should know, or null. */
  readonly description?: string | null;
  readonly specId: string;
  /** TSK-001, or null for a commit that belongs to no task. */
  readonly taskId: string | null;
  readonly requirements: readonly string[];
  readonly requester: { readonly login: string; readonly id: number };
}

/**
 * A conventional commit whose trailers say which spec, task and requirements it belongs to. Nothing in a title
 * or a description can add a trailer, mention a person or close another issue.
 */
export function commitMessage(input: CommitMessageInput): string {
  const body = commitBody(input.description ?? '');
  return `${[commitSubject(input.type, input.title), ...(body === '' ? [] : [body]), trailers(input)].join('\n\n')}\n`;
}

/** `{type}: {title}` on one line of at most 72 characters, without doubling a prefix that the title has. */
export function commitSubject(type: string, title: string): string {
  const plain = plainTitle(title).replace(/[.\s]+$/u, '');
  const prefixed = hasConventionalPrefix(plain) ? plain : `${type}: ${plain === '' ? 'update' : plain}`;
  if (prefixed.length <= SUBJECT_LENGTH) return prefixed;
  const cut = prefixed.slice(0, SUBJECT_LENGTH - 1);
  const space = cut.lastIndexOf(' ');
  const kept = space > SUBJECT_LENGTH / 2 ? cut.slice(0, space) : cut.replace(/[\ud800-\udbff]$/u, '');
  return `${kept.trimEnd()}…`;
}

/** Whether a title begins with a conventional type: `fix: …`, `feat(api)!: …`. */
export function hasConventionalPrefix(title: string): boolean {
  return /^(?:feat|fix|docs|chore|refactor|test|perf|build|ci|style|revert)(?:\([^()]{1,40}\))?!?: \S/iu.test(
    title,
  );
}

/** A person as a co-author, by the address that GitHub knows them by whatever their login becomes. */
function coAuthor(person: { login: string; id: number }): string {
  const login = oneLine(person.login, 100).replace(/[<>]/gu, '');
  return `Co-authored-by: ${login} <${person.id}+${login}@users.noreply.github.com>`;
}

function trailers(input: CommitMessageInput): string {
  return [
    `Spec: ${input.specId}`,
    ...(input.taskId === null ? [] : [`Task: ${input.taskId}`]),
    ...input.requirements.map((id) => `Requirement: ${id}`),
    coAuthor(input.requester),
  ].join('\n');
}

function commitBody(description: string): string {
  const paragraphs = cleanText(description).split(/\n{2,}/u);
  const wrapped = paragraphs
    .map((paragraph) => wrap(plainTitle(paragraph, BODY_LENGTH)))
    .filter((text) => text !== '');
  const body = wrapped.join('\n\n');
  return body.length <= BODY_LENGTH ? body : `${body.slice(0, BODY_LENGTH).replace(/\S*$/u, '').trimEnd()} …`;
}

function wrap(paragraph: string): string {
  const lines: string[] = [];
  for (const word of paragraph.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < BODY_WIDTH)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  // Indented, a line that looks like a trailer is none.
  return lines.map((line) => (/^[\w-]+\s*:/u.test(line) ? `  ${line}` : line)).join('\n');
}

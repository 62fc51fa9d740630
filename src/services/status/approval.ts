import type { GateReport, ReportedFile } from '../branches/report.ts';
import { code, cutText, details, fence, link } from '../markdown/markdown.ts';
import { gateSections } from '../pulls/checked.ts';
import type { ApprovalReason } from '../spec/publish-approval.ts';
import { PUBLISH_LABEL } from '../spec/rule-parts.ts';
import { COMMENT_LIMIT } from './comments.ts';

const MOST_LISTED = 100;

/** Finished work that waits for a person: what it changes, and how to publish or to drop it. */
export function renderApproval(waiting: {
  readonly requester: string;
  readonly specId: string;
  readonly label: string;
  readonly reason: ApprovalReason;
  readonly gate: GateReport;
  readonly compareUrl: string;
}): string {
  const { gate, label } = waiting;
  const head = [
    `@${waiting.requester.replace(/[^\w[\]-]/gu, '').slice(0, 100)} the work is done and checked. It is published when somebody has looked at it.`,
    `**What happened:** ${why(waiting.reason)}`,
    `**What it means:** no pull request was opened and the branch was not moved. What waits is commit ${code(gate.sha)}: ${count(gate.fileCount, 'file')}, ${gate.added} lines added, ${gate.removed} removed.`,
    `**What to do:** look through ${link('the whole difference', waiting.compareUrl)}. Then set the label ${code(PUBLISH_LABEL)} on this issue, which takes write permission: exactly that commit is published. To throw the work away, remove the label ${code(label)}.`,
    ...gateSections(gate).map(({ title, body }) => details(title, body)),
    details(count(gate.fileCount, 'changed file'), filesText(gate)),
  ].join('\n\n');
  const end = `<sub>Spec ${code(waiting.specId, 60)}</sub>`;
  const room = COMMENT_LIMIT - head.length - end.length - 200;
  const diff =
    gate.diff && room > 1000 ? [details('The difference', fence(cutText(gate.diff, room), 'diff'))] : [];
  return [cutText(head, COMMENT_LIMIT - end.length - 200), ...diff, end].join('\n\n');
}

function why(reason: ApprovalReason): string {
  if (reason.kind === 'settings')
    return 'the settings of this repository let nothing be published before a person has approved it.';
  const author = reason.login === null ? 'an account that is gone' : code(reason.login, 60);
  return `the issue was written by ${author}, without write permission here, so what it led to is shown first.`;
}

function filesText({ files, fileCount }: GateReport): string {
  const more = fileCount - Math.min(files.length, MOST_LISTED);
  return [...files.slice(0, MOST_LISTED).map(fileLine), ...(more > 0 ? [`- … and ${more} more`] : [])].join(
    '\n',
  );
}

function fileLine({ path, change, movedFrom, added, removed }: ReportedFile): string {
  const what = movedFrom === null ? change : `moved from ${code(movedFrom)}`;
  return `- ${code(path)} ${what}, +${added} −${removed}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

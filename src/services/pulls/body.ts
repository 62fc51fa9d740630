import type { GateReport } from '../branches/report.ts';
import type { RefusedHost } from '../egress/words.ts';
import { cell, code, cutText, details, fence, inline, prose, tailText } from '../markdown/markdown.ts';
import type { RequirementsArtifact } from '../spec/phases/requirements.ts';
import { gateSections, hostSection } from './checked.ts';
import { mergeTemplate, type Section } from './template.ts';

/** GitHub's limit for the body of an issue or pull request. */
export const BODY_LIMIT = 65_536;

export interface PullTask {
  readonly id: string;
  readonly title: string;
  readonly requirements: readonly string[];
  /** The commit that did it, or null when it needed none. */
  readonly sha: string | null;
}

export interface Verification {
  readonly command: string;
  readonly code: number;
  readonly timedOut: boolean;
  readonly outputTail: string;
}

export interface PullBodyInput {
  readonly issueNumber: number;
  readonly specId: string;
  readonly requester: string;
  readonly requirements: RequirementsArtifact;
  readonly tasks: readonly PullTask[];
  /** The repository's own check on the head, or null where it names none. */
  readonly verification: Verification | null;
  /** What was done otherwise than planned. */
  readonly deviations: readonly string[];
  readonly refusals: readonly { readonly path: string; readonly reason: string }[];
  /** What the diff gate found in the published commit, or null. */
  readonly gate: GateReport | null;
  /** What its sandboxes asked for and did not get, most often asked first. */
  readonly refusedHosts: readonly RefusedHost[];
  /** Text of the repository's pull request template, or null. */
  readonly template: string | null;
  readonly agent: { readonly name: string; readonly scripted: boolean };
  readonly sandbox: { readonly provider: string; readonly isolated: boolean };
}

/** How much is said; each step says less, for plans that would not fit into GitHub's limit. */
type Detail = 'full' | 'short' | 'bare';

/**
 * The body of the pull request, at most 65,536 characters: what, for which requirements, by which commits, with
 * which proof. `Closes #n` is in it whatever had to be left out.
 */
export function pullBody(input: PullBodyInput): string {
  const ends = footer(input);
  const room = BODY_LIMIT - ends.length - 10;
  for (const detail of ['full', 'short', 'bare'] as const) {
    const body = mergeTemplate(input.template, sectionsOf(input, detail));
    if (body.length <= room) return `${body}\n\n${ends}\n`;
  }
  const plain = mergeTemplate(null, sectionsOf(input, 'bare'));
  const note = '_The whole text is longer than GitHub takes here; the rest is in the comments on the issue._';
  const left = room - note.length - closes(input).length - 4;
  const kept = plain.length <= left ? plain : cutText(plain, left).replace(/\n[^\n]*…$/u, '');
  return `${closes(input)}\n\n${kept}\n\n${note}\n\n${ends}\n`;
}

function sectionsOf(input: PullBodyInput, detail: Detail): Section[] {
  const sections: (Section | null)[] = [
    {
      title: 'Summary',
      body: summary(input, detail),
      belongsUnder: [
        'summary',
        'description',
        'overview',
        'what changed',
        'what changes',
        'what this changes',
        'what does this change',
        'what does this pr do',
        'purpose',
        'motivation',
        'proposed changes',
      ],
    },
    {
      title: 'Requirements',
      body: requirementTable(input, detail),
      belongsUnder: ['requirements', 'acceptance criteria'],
    },
    {
      title: 'Tasks',
      body: input.tasks.map((task) => taskLine(task, detail)).join('\n'),
      belongsUnder: ['tasks', 'changes', 'changes made', 'implementation'],
    },
    {
      title: 'Verification',
      body: verification(input.verification, detail),
      belongsUnder: ['testing', 'tests', 'tested', 'test plan', 'verification', 'how to test', 'validation'],
    },
    ...gateSections(input.gate),
    ...hostSection(input.refusedHosts),
    deviations(input),
    {
      title: '',
      body: closes(input),
      belongsUnder: [
        'issue',
        'issues',
        'related',
        'linked',
        'closes',
        'fixes',
        'related issue',
        'references',
        'ticket',
      ],
    },
  ];
  return sections.filter((part) => part !== null);
}

function closes(input: PullBodyInput): string {
  return `Closes #${input.issueNumber}`;
}

function summary(input: PullBodyInput, detail: Detail): string {
  const { goal, problem, outOfScope } = input.requirements.overview;
  if (detail === 'bare') return inline(goal, 600);
  const left =
    outOfScope.length > 0
      ? `Left alone on purpose: ${outOfScope.map((item) => inline(item)).join('; ')}`
      : '';
  return [prose(goal, 2000), prose(problem, 2000), left].filter((part) => part !== '').join('\n\n');
}

function requirementTable(input: PullBodyInput, detail: Detail): string {
  const rows = input.requirements.requirements.map((requirement) => {
    const served = input.tasks.filter((task) => task.requirements.includes(requirement.id));
    const commits = served
      .map((task) => (task.sha === null ? task.id : `${task.id} (${task.sha})`))
      .join('<br>');
    const what = detail === 'bare' ? cell(requirement.title, 100) : cell(requirement.text, 1000);
    return `| **${requirement.id}** | ${what} | ${commits || 'none'} |`;
  });
  const table = ['| | Requirement | Served by |', '| --- | --- | --- |', ...rows].join('\n');
  if (detail !== 'full') return table;
  const acceptance = input.requirements.requirements.flatMap(({ acceptance: list }) =>
    list.map(({ id, text }) => `- **${id}** ${inline(text, 600)}`),
  );
  return `${table}\n\n${details('Acceptance criteria', acceptance.join('\n'))}`;
}

// A bare sha is linked by GitHub itself, in every place where the body is shown.
function taskLine(task: PullTask, detail: Detail): string {
  const title = detail === 'bare' ? inline(task.title, 60) : inline(task.title);
  return `- [x] **${task.id}** ${title}${task.sha === null ? ' (nothing to change)' : ` ${task.sha}`}`;
}

function verification(result: Verification | null, detail: Detail): string {
  if (result === null)
    return 'This repository names no command to verify a change with, so none was run. Please check it before you merge.';
  const ending = result.timedOut ? 'did not end in time' : `ended with exit code ${result.code}`;
  const mark = !result.timedOut && result.code === 0 ? '✅' : '❌';
  const line = `${mark} ${code(result.command)} ${ending}, on the head of this branch.`;
  const output = tailText(result.outputTail.trim(), detail === 'full' ? 4000 : 1000);
  return output === '' || detail === 'bare' ? line : `${line}\n\n${details('Output', fence(output, 'text'))}`;
}

function deviations(input: PullBodyInput): Section | null {
  const lines = [
    ...input.deviations.slice(0, 40).map((text) => `- ${inline(text, 600)}`),
    ...input.refusals.slice(0, 40).map(({ reason }) => `- Not published: ${inline(reason, 600)}`),
  ];
  if (lines.length === 0) return null;
  return {
    title: 'Deviations from the plan',
    body: lines.join('\n'),
    belongsUnder: ['deviations', 'notes for reviewers'],
  };
}

function footer(input: PullBodyInput): string {
  const maker = input.agent.scripted
    ? `the script ${code(input.agent.name, 60)}, not by a model`
    : `the agent ${code(input.agent.name, 60)}`;
  const { provider, isolated } = input.sandbox;
  const place = `in ${isolated ? 'an isolated' : 'a **not isolated**'} ${code(provider, 40)} sandbox`;
  return (
    `---\n_Asked for by ${code(input.requester, 60)}. Planned and written by ${maker}, ${place}; ` +
    `tasks, commits and checks are Specwright’s own record. Spec ${code(input.specId, 60)}._`
  );
}

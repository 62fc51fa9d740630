import { hostWords } from '../egress/words.ts';
import { code, cutText, inline, link, numberLink } from '../markdown/markdown.ts';
import { dollars } from '../models/charges.ts';
import { duration, headline, nextStep, phaseWords, utc } from './sentences.ts';
import type { PhaseView, StatusView, TaskView } from './view.ts';

/** GitHub takes 65,536 characters; the rest is left for the hidden marker of whoever posts it. */
const COMMENT_LIMIT = 65_000;
const MAX_TASKS = 100;

/** The sticky status comment: the whole state of a spec, whatever was shown before. At most 65,000 characters. */
export function renderStatus(view: StatusView): string {
  const parts = [
    `## ${headline(view)}`,
    ...warnings(view),
    ...cause(view),
    `**What happens next:** ${nextStep(view)}`,
    ...links(view),
    phaseTable(view),
    ...taskList(view.tasks),
    ...hosts(view.refusedHosts),
    footer(view),
  ];
  return cutText(parts.join('\n\n'), COMMENT_LIMIT);
}

function warnings(view: StatusView): string[] {
  const script = `> [!NOTE]\n> A script (${code(view.agent.name, 60)}) and not a model is at work here: it plays back what was prepared.`;
  const unsafe =
    '> [!WARNING]\n> The sandbox is **not isolated**: what the agent runs can reach the machine that Specwright runs on. ' +
    'Its operator has allowed that by setting; do not use it for code that you do not trust.';
  return [
    ...(view.agent.scripted ? [script] : []),
    ...(view.sandbox && !view.sandbox.isolated ? [unsafe] : []),
  ];
}

function cause(view: StatusView): string[] {
  const wanted = ['failed', 'pr_failed', 'cancelled', 'closed'].includes(view.status);
  return wanted && view.cause ? [`**Why:** ${inline(view.cause, 1000)}`] : [];
}

function links(view: StatusView): string[] {
  const items = [
    ...(view.pull ? [`- Pull request: ${numberLink(view.pull.number, view.pull.url)}`] : []),
    ...(view.branch ? [`- Branch: ${branch(view.branch)}`] : []),
    ...(view.compareUrl && view.branch?.deleted !== true
      ? [`- Changes: ${link('compare with the base', view.compareUrl)}`]
      : []),
    ...(view.mergeSha ? [`- Merge: ${view.mergeSha}`] : []),
  ];
  return items.length > 0 ? [items.join('\n')] : [];
}

function branch(of: NonNullable<StatusView['branch']>): string {
  if (of.deleted) return `${code(of.name)} (deleted)`;
  return of.url ? link(`\`${of.name}\``, of.url) : code(of.name);
}

function phaseTable(view: StatusView): string {
  const rows = view.phases.map((phase) => {
    const words = `${mark(phase)} | **${phase.name}**: ${phaseWords[phase.name]}`;
    return `| ${words} | ${time(phase)} | ${phase.note ?? attempts(phase, view)} |`;
  });
  return ['| | Phase | Time | |', '| :-: | --- | --- | --- |', ...rows].join('\n');
}

function mark(phase: PhaseView): string {
  return { pending: '⬜', running: '⏳', done: '✅', failed: '❌' }[phase.state];
}

// A running phase says since when: an elapsed time would be wrong as soon as it is shown.
function time(phase: PhaseView): string {
  if (phase.startedAt === null) return '';
  if (phase.endedAt !== null) return duration(phase.endedAt.getTime() - phase.startedAt.getTime());
  return phase.state === 'running' ? `since ${phase.startedAt.toISOString().slice(11, 19)} UTC` : '';
}

function attempts(phase: PhaseView, view: StatusView): string {
  if (phase.attempt <= 1 && phase.state !== 'failed') return '';
  const count = `attempt ${phase.attempt} of ${view.maxAttempts}`;
  const first = phase.failures?.[0];
  if (first === undefined || phase.state === 'done') return count;
  const more = (phase.failures?.length ?? 0) - 1;
  return `${count}: ${inline(first, 200).replaceAll('|', '\\|')}${more > 0 ? ` (and ${more} more)` : ''}`;
}

function taskList(tasks: readonly TaskView[]): string[] {
  if (tasks.length === 0) return [];
  const rows = tasks.slice(0, MAX_TASKS).map((task) => {
    const box = task.state === 'done' ? '[x]' : '[ ]';
    const state = { pending: '', running: ' ⏳', done: '', closed: ' (not done)', failed: ' ❌' }[task.state];
    return `- ${box} **${task.id}** ${inline(task.title, 200)}${state}${task.sha === null ? '' : ` ${task.sha}`}`;
  });
  const more = tasks.length > MAX_TASKS ? [`- and ${tasks.length - MAX_TASKS} more`] : [];
  return [`### Tasks\n\n${[...rows, ...more].join('\n')}`];
}

/** What the work asked for and did not get: often the reason of a failure, at times a sign of something worse. */
function hosts(refused: StatusView['refusedHosts']): string[] {
  if (refused.length === 0) return [];
  return [
    `**Asked for hosts that it may not reach:** ${refused.map(hostWords).join(', ')}. What a sandbox may reach stands under ${code('egress')} in ${code('.github/specwright.yml')}.`,
  ];
}

function footer(view: StatusView): string {
  const total = view.endedAt ? ` · took ${duration(view.endedAt.getTime() - view.createdAt.getTime())}` : '';
  const sandbox = view.sandbox
    ? ` · sandbox ${code(view.sandbox.provider, 40)}${view.sandbox.isolated ? '' : ' (not isolated)'}`
    : '';
  const models = view.models
    ? ` · models ${view.models.about ? 'about ' : ''}${dollars(view.models.spent)} of ${dollars(view.models.limit)}`
    : '';
  return (
    `<sub>Spec ${code(view.specId, 60)} · asked for by ${code(view.requester, 60)} · agent ${code(view.agent.name, 60)}` +
    `${view.agent.scripted ? ' (a script)' : ''}${sandbox}${models} · started ${utc(view.createdAt)}${total} · ` +
    `updated ${utc(view.updatedAt)}</sub>`
  );
}

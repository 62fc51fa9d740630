import { assertNever } from '../../errors.ts';
import { code, inline, link } from '../markdown/markdown.ts';
import { PUBLISH_LABEL } from '../spec/rule-parts.ts';
import { type Hold, isLive, type Phase } from '../spec/states.ts';
import type { StatusView } from './view.ts';

/** What each phase does, for a reader who meets the word for the first time. */
export const phaseWords: { readonly [P in Phase]: string } = {
  explore: 'read the repository',
  requirements: 'write testable requirements',
  design: 'design the change',
  tasks: 'cut it into tasks',
  sync: 'check the plan as a whole',
  execute: 'carry out the tasks',
  verify: 'run the repository’s own check',
  publish: 'publish the branch and open the pull request',
};

/** Where the spec stands, in one line. */
export function headline(view: StatusView): string {
  if (view.hold && isLive(view.status)) return `⏸️ Waiting: ${holdWords[view.hold.reason]}`;
  switch (view.status) {
    case 'queued':
      return view.waiting ? `⏳ Queued: number ${view.waiting.place} of those that wait` : '⏳ Queued';
    case 'planning':
      return `📝 Planning: ${view.phase ? phaseWords[view.phase] : 'getting ready'}`;
    case 'awaiting_approval':
      return '✋ The plan waits for approval';
    case 'executing':
      return `🔨 Building: ${progress(view)}`;
    case 'publishing':
      return '📦 Publishing';
    case 'pr_failed':
      return '⚠️ The work is done, but the pull request could not be opened';
    case 'in_review':
      return view.pull ? `👀 Ready for review in #${view.pull.number}` : '👀 Ready for review';
    case 'merged':
      return view.pull ? `🎉 Merged in #${view.pull.number}` : '🎉 Merged';
    case 'closed':
      return view.pull
        ? `⚪ #${view.pull.number} was closed without a merge`
        : '⚪ Ended without a pull request';
    case 'failed':
      return '❌ Failed';
    case 'cancelled':
      return '🚫 Cancelled';
    default:
      return assertNever(view.status, 'status');
  }
}

/** What happens next, and what the reader can do. */
export function nextStep(view: StatusView): string {
  if (view.nextStep) return view.nextStep;
  const stop = `To stop, remove the label ${code(view.label)} or close this issue.`;
  const again = `To try again, remove the label ${code(view.label)} and set it once more.`;
  if (view.hold && isLive(view.status)) return holdStep(view, stop);
  switch (view.status) {
    case 'queued':
      if (view.waiting) {
        return `${view.waiting.atWork} specs of this installation are at work, as many as there may be at once; this one starts by itself when it is its turn. ${stop}`;
      }
      return `A sandbox starts and the planning begins. Nothing is needed from you. ${stop}`;
    case 'planning':
      return `When the plan has passed its checks, it is carried out task by task. Nothing is needed from you. ${stop}`;
    case 'awaiting_approval':
      return `Read the plan below; nothing is built until somebody with write access approves it. ${stop}`;
    case 'executing':
      return `When every task is done and the repository’s own check has run, a pull request is opened. Nothing is needed from you. ${stop}`;
    case 'publishing':
      return `The change is compared with the base branch and the rules of this repository; then the pull request is opened. ${stop}`;
    case 'pr_failed':
      return `Mend the cause. ${again}${openByHand(view)}`;
    case 'in_review':
      return 'Review the pull request like anybody’s. When it is merged, this issue closes and the branch is deleted.';
    case 'merged':
      return afterMerge(view);
    case 'closed':
      return view.pull
        ? `The branch stays for a while, in case you reopen the pull request. ${again}`
        : again;
    case 'failed':
      return `Nothing was published. Make the issue clearer or mend the cause. ${again}`;
    case 'cancelled':
      return `Nothing more happens. ${again}`;
    default:
      return assertNever(view.status, 'status');
  }
}

function openByHand({ compareUrl }: StatusView): string {
  return compareUrl ? ` Or open the pull request yourself from ${link('the comparison', compareUrl)}.` : '';
}

function afterMerge({ branch }: StatusView): string {
  if (branch?.kept)
    return `Nothing more happens: the work is in. The branch was kept: ${inline(branch.kept)}.`;
  return branch?.deleted === false
    ? 'Nothing is needed from you: the work is in, and the branch is about to be deleted.'
    : 'Nothing more happens: the work is in, and what was set up for it is cleaned away.';
}

function progress(view: StatusView): string {
  if (view.phase === 'verify') return phaseWords.verify;
  const done = view.tasks.filter((task) => task.state === 'done').length;
  return view.tasks.length === 0 ? 'getting ready' : `${done} of ${view.tasks.length} tasks done`;
}

const holdWords: { readonly [R in Hold['reason']]: string } = {
  approval: 'for approval',
  answer: 'for an answer',
  quota: 'for a limit to pass',
  budget: 'the budget is used up',
  'taken over': 'a person has taken over',
  paused: 'paused',
};

function holdStep(view: StatusView, stop: string): string {
  if (view.hold?.reason === 'approval' && view.status === 'publishing') {
    return `Look through the diff in the comment below. When somebody with write access sets the label ${code(PUBLISH_LABEL)}, exactly that commit is published. ${stop}`;
  }
  const until = view.hold?.until;
  const cause = view.cause ? `${inline(view.cause, 600)} ` : '';
  const model = view.hold?.reason === 'budget' || view.hold?.reason === 'quota';
  // There the label is how people say "go on".
  const end = model ? 'To end it, close this issue.' : stop;
  const on = model
    ? `When that is settled, remove the label ${code(view.label)} and set it once more.`
    : 'It goes on when that is settled.';
  return until ? `${cause}It goes on by itself at ${utc(new Date(until))}. ${end}` : `${cause}${on} ${end}`;
}

/** "2025-03-01 14:02 UTC". */
export function utc(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** "0.4 s", "12 s", "3 min 5 s", "2 h 10 min". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

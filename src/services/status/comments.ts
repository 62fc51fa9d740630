import { code, cutText, details, fence, inline, link, numberLink, tailText } from '../markdown/markdown.ts';
import type { Artifacts } from '../spec/phases/definition.ts';
import { artifactMarkdown } from '../spec/phases/document.ts';
import { planningPhases } from '../spec/phases/registry.ts';
import type { Phase } from '../spec/states.ts';
import { phaseWords } from './sentences.ts';

/** GitHub takes 65,536 characters; the rest is left for the hidden marker of whoever posts it. */
export const COMMENT_LIMIT = 65_000;
const MAX_LISTED = 20;

/** Whom a comment is for, and what it is about. */
interface Addressed {
  /** Login, without @; it is mentioned, since an edit of the status comment notifies nobody. */
  readonly requester: string;
  readonly specId: string;
  /** The label that starts a spec. */
  readonly label: string;
}

/** The artifacts as one comment, each phase collapsed; what does not fit into 65,000 characters is cut. */
export function renderArtifacts(artifacts: Artifacts, specId: string): string {
  const done = planningPhases.flatMap((phase) => {
    const body = artifactMarkdown(artifacts, phase);
    return body === null ? [] : [{ phase, body }];
  });
  const frame = (parts: readonly string[]) =>
    [`## The spec\n\nWhat was planned, phase by phase. Spec ${code(specId, 60)}.`, ...parts].join('\n\n');
  // Each phase may have an equal share, and what a short one leaves goes to the longer ones behind it.
  let left = COMMENT_LIMIT - frame([]).length - done.length * 120;
  const shares = new Map<string, number>();
  for (const [index, { phase, body }] of done.toSorted((a, b) => a.body.length - b.body.length).entries()) {
    const share = Math.min(body.length, Math.floor(left / (done.length - index)));
    shares.set(phase, share);
    left -= share;
  }
  return frame(
    done.map(({ phase, body }) =>
      details(`${phase}: ${phaseWords[phase]}`, cutWhole(body, shares.get(phase) ?? 0)),
    ),
  );
}

/** Cuts between paragraphs, so that no table, link or code block is left half open where that can be had. */
function cutWhole(body: string, max: number): string {
  if (body.length <= max) return body;
  const note = '\n\n_The rest is longer than GitHub takes here._';
  const kept = body.slice(0, Math.max(0, max - note.length - 8));
  const whole = kept.slice(0, Math.max(kept.lastIndexOf('\n\n'), 0));
  const fences = whole.match(/^ {0,3}(`{3,}|~{3,})/gmu) ?? [];
  const open = fences.length % 2 === 1 ? `\n${(fences.at(-1) ?? '').trim()}` : '';
  return `${whole}${open}${note}`;
}

/** A spec that failed for good. */
export function renderFailure(
  failure: Addressed & {
    readonly phase: Phase | null;
    readonly attempts: number;
    readonly cause: string;
    readonly failures: readonly string[];
    /** End of what a command printed, or null. */
    readonly output?: string | null;
  },
): string {
  const where = failure.phase
    ? `in the phase **${failure.phase}** (${phaseWords[failure.phase]})`
    : 'before the planning';
  const tries = failure.attempts > 1 ? ` after ${failure.attempts} attempts` : '';
  return comment([
    `${mention(failure)} this spec failed ${where}${tries}.`,
    `**What happened:** ${inline(failure.cause, 1000)}`,
    // The cause often quotes them already.
    ...list(failure.failures.filter((reason) => !failure.cause.includes(reason))),
    ...(failure.output
      ? [details('What the command printed', fence(tailText(failure.output, 6000), 'text'))]
      : []),
    '**What it means:** nothing was published, and no pull request was opened.',
    `**What to do:** make the issue clearer or mend the cause. ${again(failure)}`,
    about(failure),
  ]);
}

/** A spec whose sandboxes were lost one after the other. */
export function renderSandboxLost(
  failure: Addressed & {
    readonly phase: Phase;
    /** One sentence for each loss of the last hour, oldest first. */
    readonly losses: readonly string[];
    /** What a person can do about the last one. */
    readonly advice: string;
    readonly tasks: { readonly done: number; readonly all: number };
  },
): string {
  const { phase, losses, tasks } = failure;
  const kept = tasks.all === 0 ? '' : ` ${tasks.done} of ${count(tasks.all, 'task')} are done and kept.`;
  return comment([
    `${mention(failure)} this spec failed in the phase **${phase}** (${phaseWords[phase]}), because it lost its sandbox too often.`,
    `**What happened:** the sandbox was lost ${count(losses.length, 'time')} within an hour, and each time but the last one a new one went on from the last checkpoint:`,
    ...list(losses),
    `**What it means:** no sandbox runs for this spec any more, and nothing was published.${kept}`,
    `**What to do:** ${failure.advice} ${again(failure)}`,
    about(failure),
  ]);
}

/** A spec that waits until somebody has seen to what it lacks. */
export function renderHeld(held: Addressed & { readonly cause: string }): string {
  return comment([
    `${mention(held)} this spec waits.`,
    `**What happened:** ${inline(held.cause, 1000)}`,
    '**What it means:** no sandbox runs while it waits and nothing is spent; every finished phase and task is kept.',
    `**What to do:** when that is settled, remove the label ${code(held.label)} and set it once more: the spec goes on where it stands. To end it, close this issue.`,
    about(held),
  ]);
}

/** A pull request that waits for its review. */
export function renderPullReady(
  ready: Addressed & {
    readonly pull: { readonly number: number; readonly url: string };
    readonly taskCount: number;
    readonly requirementCount: number;
    /** Whether the repository's own check passed; null where there is none. */
    readonly verified: boolean | null;
    readonly refusals: readonly { readonly reason: string }[];
  },
): string {
  const proof = {
    true: 'The repository’s own check passed on it.',
    false: 'The repository’s own check does **not** pass on it yet.',
    null: 'This repository names no command to verify a change with, so none was run.',
  }[`${ready.verified}`];
  return comment([
    `${mention(ready)} the pull request ${numberLink(ready.pull.number, ready.pull.url)} is ready for your review.`,
    `**What happened:** ${count(ready.taskCount, 'task')} for ${count(ready.requirementCount, 'requirement')} are done. ${proof}`,
    ...list(ready.refusals.map(({ reason }) => `Not published: ${reason}`)),
    '**What to do:** review it like anybody’s. When it is merged, this issue closes and the branch is deleted. To throw the work away, close the pull request instead.',
    about(ready),
  ]);
}

/** A pull request that GitHub did not let be opened, for an hour. */
export function renderPullFailed(
  failed: Addressed & {
    readonly cause: string;
    readonly branch: string;
    /** Null where the branch does not have the work. */
    readonly compareUrl: string | null;
  },
): string {
  const byHand = failed.compareUrl
    ? ` Or open it yourself from ${link('the comparison', failed.compareUrl)}.`
    : '';
  return comment([
    `${mention(failed)} the work is done, but GitHub did not let the pull request be opened.`,
    `**What happened:** ${inline(failed.cause, 1000)}`,
    `**What it means:** ${whereWorkIs(failed)}; nobody can review it as a pull request yet.`,
    `**What to do:** mend the cause. ${again(failed)}${byHand}`,
    about(failed),
  ]);
}

function whereWorkIs({ branch, compareUrl }: { branch: string; compareUrl: string | null }): string {
  if (compareUrl) return `the work is safe on the branch ${code(branch)}`;
  return `the work is safe, but it is not on the branch ${code(branch)}`;
}

/** A spec that ended because there is nothing to change. */
export function renderClosedWithoutPull(closed: Addressed & { readonly baseBranch: string }): string {
  return comment([
    `${mention(closed)} there is nothing to change, so no pull request was opened.`,
    `**What happened:** the tasks were carried out, and the result is the same as ${code(closed.baseBranch)}.`,
    '**What it means:** what the issue asks for is most likely there already, or the issue does not say what should be different.',
    `**What to do:** close the issue if it is settled. Otherwise say in it what you miss. ${again(closed)}`,
    about(closed),
  ]);
}

/** Work that the diff gate did not let through. */
export function renderDiffRefused(
  refused: Addressed & { readonly refusals: readonly { readonly reason: string }[] },
): string {
  return comment([
    `${mention(refused)} the work breaks rules of this repository, so it was not published.`,
    `**What happened:** ${count(refused.refusals.length, 'part')} of the change may not be published:`,
    ...list(refused.refusals.map(({ reason }) => reason)),
    '**What it means:** no pull request was opened, and the branch was not moved.',
    `**What to do:** say in the issue how to do without these, or change the rules in ${code('.github/specwright.yml')} on the default branch (CODEOWNERS and that file itself can never be changed by a spec).${revoke(refused.refusals)} ${again(refused)}`,
    about(refused),
  ]);
}

/** The work is kept under a hidden ref, which whoever may read the repository can fetch by its name. */
function revoke(refusals: readonly { readonly reason: string }[]): string {
  if (!refusals.some(({ reason }) => reason.includes('`secretScan`'))) return '';
  return ' **If a secret that was found is a real one, revoke it now**: the work was saved in this repository, under a ref that is not listed but can be read.';
}

/** A label set by somebody who may not start a spec. */
export function renderRefusal(refusal: {
  readonly sender: string;
  readonly label: string;
  readonly isBot: boolean;
}): string {
  const why = refusal.isBot
    ? 'bots may not start one here unless a setting allows it'
    : 'starting one needs write permission to this repository';
  return comment([
    `@${login(refusal.sender)} no spec was started: ${why}.`,
    `**What to do:** ask somebody with write permission to set the label ${code(refusal.label)}.`,
  ]);
}

/** A sender whose permission GitHub did not tell in time. */
export function renderUnverified(unverified: { readonly sender: string; readonly label: string }): string {
  return comment([
    `@${login(unverified.sender)} no spec was started, because GitHub did not say in time whether you have write permission to this repository.`,
    '**What it means:** nothing is wrong with your account or this issue.',
    `**What to do:** remove the label ${code(unverified.label)} and set it once more.`,
  ]);
}

/** A label that was found late, on an issue that may have been rewritten since. */
export function renderUnvouched(late: { readonly sender: string; readonly label: string }): string {
  return comment([
    `@${login(late.sender)} GitHub did not tell me in time that you set the label ${code(late.label)}, and this issue was changed since.`,
    '**What it means:** no spec was started, because the label vouches for the text as you saw it.',
    `**What to do:** read the issue again, then remove the label ${code(late.label)} and set it once more.`,
  ]);
}

/** An installation that grants too little. */
export function renderLacking(lacking: {
  readonly sender: string;
  readonly label: string;
  readonly problems: readonly string[];
}): string {
  return comment([
    `@${login(lacking.sender)} no spec was started, because Specwright was not given what it needs here.`,
    '**What happened:**',
    ...list(lacking.problems),
    '**What it means:** nothing was planned, and no branch was made.',
    `**What to do:** have that accepted. Then remove the label ${code(lacking.label)} and set it once more.`,
  ]);
}

/** What has to be put right before a spec can start. */
export function renderPreflightFailure(
  failure: Addressed & { readonly problems: readonly string[] },
): string {
  return comment([
    `${mention(failure)} this spec could not start.`,
    `**What happened:** ${count(failure.problems.length, 'thing')} in this repository or its settings ${failure.problems.length === 1 ? 'stands' : 'stand'} in the way:`,
    ...list(failure.problems),
    '**What it means:** nothing was planned, and no branch was made.',
    `**What to do:** put that right. ${again(failure)}`,
    about(failure),
  ]);
}

function comment(parts: readonly string[]): string {
  return cutText(parts.join('\n\n'), COMMENT_LIMIT);
}

function list(items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, MAX_LISTED).map((item) => `- ${inline(item, 600)}`);
  const more = items.length - shown.length;
  return [[...shown, ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n')];
}

function mention(to: Addressed): string {
  return `@${login(to.requester)}`;
}

// A login holds letters, digits and hyphens; a bot's ends with "[bot]".
function login(name: string): string {
  return name.replace(/[^\w[\]-]/gu, '').slice(0, 100);
}

function again(to: Addressed): string {
  return `To try again, remove the label ${code(to.label)} and set it once more.`;
}

function about(to: Addressed): string {
  return `<sub>Spec ${code(to.specId, 60)}</sub>`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

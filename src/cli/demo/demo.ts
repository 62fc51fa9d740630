import { parseArgs } from 'node:util';
import { UserError } from '../../errors.ts';
import { isLive, type Status } from '../../services/spec/states.ts';
import { createLiveDisplay, createPlainDisplay, createSilentDisplay, type Display } from './display.ts';
import { labelIssue, mergePull, openIssue, VERIFY, writeSettings } from './people.ts';
import { type Progress, readProgress } from './progress.ts';
import { makeReport, renderReport } from './report.ts';
import { canIsolate, openStage, type Stage } from './world.ts';

const WATCH_MS = 100;
/** The demo gives up after this; it usually takes a fifth. */
const PATIENCE_MS = 55_000;
/** Effects of a merge (branch, refs, last status) follow within a second or two. */
const TIDY_MS = 15_000;
/** Of a spec that did not get that far only the last comments are still to come. */
const FAILED_TIDY_MS = 2000;

interface Issue {
  readonly number: number;
  readonly url: string;
}

/** `specwright demo`: the whole line, live. Exit code 0 only when every step was seen to happen. */
export async function demo(args: readonly string[]): Promise<number> {
  const options = {
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    // For tests: another script for the agent to play.
    script: { type: 'string' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const display = chooseDisplay(values.json);
  const started = Date.now();
  display.say('Starting an emulated GitHub, a PostgreSQL and Specwright …');
  const stage = await openStage({ script: values.script });
  const stopped = nextSignal();
  try {
    const performance = perform(stage, { display, started, json: values.json });
    const code = await Promise.race([performance, stopped.then(() => EXIT_INTERRUPTED)]);
    if (values.keep && code !== EXIT_INTERRUPTED) {
      sayWhatIsKept(stage);
      await stopped;
    }
    return code;
  } catch (error) {
    await stage.keepLog();
    throw error;
  } finally {
    display.close();
    await stage.close();
  }
}

const EXIT_INTERRUPTED = 130;

/** Ctrl-C ends the demo at once, and it still cleans up behind itself. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

async function perform(
  stage: Stage,
  how: { display: Display; started: number; json: boolean },
): Promise<number> {
  const { issue, progress } = await play(stage, how.display);
  how.display.close();
  const report = await settledReport(stage, { issue, progress, started: how.started });
  if (report.missing.length > 0) await stage.keepLog();
  process.stdout.write(how.json ? `${JSON.stringify(report)}\n` : renderReport(report, stage));
  return report.missing.length === 0 ? 0 : 1;
}

function chooseDisplay(json: boolean): Display {
  if (json) return createSilentDisplay();
  return process.stdout.isTTY ? createLiveDisplay(process.stdout) : createPlainDisplay(process.stdout);
}

/** People do their part; everything else happens by itself. */
async function play(stage: Stage, display: Display): Promise<{ issue: Issue; progress: Progress }> {
  const { repo, people } = stage.world;
  display.say(`Repository ${stage.github.url}/${repo.fullName}`);
  display.say('A script plays the coding agent here: no model is at work.');
  if (!canIsolate)
    display.say('UNSAFE: this system has no isolated sandboxes; the script runs as a plain process.');
  await writeSettings(stage);
  display.say(`@${people.maintainer.login} sets "verify: ${VERIFY}" in .github/specwright.yml`);
  const issue = await openIssue(stage);
  display.say(`@${people.maintainer.login} opens ${issue.url} and labels it "spec"`);
  await labelIssue(stage, issue.number);
  const review = await watch(stage, { issue, display, until: ({ spec }) => spec.status === 'in_review' });
  if (review.spec.status === 'in_review') {
    display.say(`@${people.maintainer.login} reviews and merges ${review.spec.pull_request_url}`);
    await mergePull(stage, review.spec.pull_request_number!);
  }
  const progress = await watch(stage, {
    issue,
    display,
    until: ({ spec }) => !isLive(spec.status as Status),
  });
  return { issue, progress };
}

/** Follows the spec until something holds, or until it ends. */
async function watch(
  stage: Stage,
  of: { issue: Issue; display: Display; until: (progress: Progress) => boolean },
): Promise<Progress> {
  const { clock } = stage.app.opened.deps;
  const deadline = Date.now() + PATIENCE_MS;
  while (Date.now() < deadline) {
    const progress = await readProgress(stage, of.issue.number);
    if (progress) {
      of.display.update(progress);
      if (of.until(progress) || !isLive(progress.spec.status as Status)) return progress;
    }
    await clock.sleep(WATCH_MS);
  }
  throw new UserError(`The demo did not get further within ${PATIENCE_MS / 1000} s. Log: ${stage.logFile}`);
}

/** Waits for what follows the end (branch, refs, last status), then reports. */
async function settledReport(
  stage: Stage,
  of: { issue: Issue; progress: Progress; started: number },
): Promise<Awaited<ReturnType<typeof makeReport>>> {
  const { clock } = stage.app.opened.deps;
  const deadline = Date.now() + (of.progress.spec.status === 'merged' ? TIDY_MS : FAILED_TIDY_MS);
  for (;;) {
    const progress = (await readProgress(stage, of.issue.number)) ?? of.progress;
    const report = await makeReport(stage, { issue: of.issue, progress, totalMs: Date.now() - of.started });
    if (report.missing.length === 0 || Date.now() > deadline) return report;
    await clock.sleep(WATCH_MS);
  }
}

/** Everything goes on running for a look around. */
function sayWhatIsKept({ github, world, app }: Stage): void {
  const { maintainer } = world.people;
  const { host } = new URL(github.url);
  process.stderr.write(`
Everything is still running:
  browser   ${github.url}/${world.repo.fullName}   ${github.url}/${world.repo.fullName}/issues/1
  git       git clone http://${maintainer.login}:${maintainer.token}@${host}/${world.repo.fullName}.git
  health    ${app.url}/health/ready
Press Ctrl-C to stop and remove it all.
`);
}

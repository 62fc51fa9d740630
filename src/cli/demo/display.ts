import { createLogUpdate } from 'log-update';
import colors from 'picocolors';
import type { SpecEventRow } from '../../db/spec-events.ts';
import { phases } from '../../services/spec/states.ts';
import type { Progress } from './progress.ts';

/** Shows what happens while it happens. */
export interface Display {
  say(text: string): void;
  update(progress: Progress): void;
  close(): void;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** A picture that is redrawn in place, for terminals. */
export function createLiveDisplay(stream: NodeJS.WriteStream): Display {
  const draw = createLogUpdate(stream);
  const started = Date.now();
  let frame = 0;
  return {
    say(text) {
      draw.clear();
      stream.write(`${text}\n`);
    },
    update(progress) {
      frame += 1;
      draw(picture(progress, { spinner: SPINNER[frame % SPINNER.length]!, elapsedMs: Date.now() - started }));
    },
    close() {
      draw.done();
    },
  };
}

function picture(progress: Progress, at: { spinner: string; elapsedMs: number }): string {
  const { spec } = progress;
  const lines = phases.map((name) => phaseLine(name, progress, at.spinner));
  const done = progress.tasks.map((task) => {
    const mark = task.state === 'done' ? colors.green('✔') : colors.dim('·');
    return `      ${mark} ${task.id} ${task.title}${task.commit_sha ? colors.dim(` ${task.commit_sha.slice(0, 7)}`) : ''}`;
  });
  const after = phases.indexOf('execute') + 1;
  lines.splice(after, 0, ...done);
  const pull = spec.pull_request_url
    ? `\n  ${colors.dim('pull request')} ${colors.cyan(spec.pull_request_url)}`
    : '';
  return `\n${lines.join('\n')}\n${pull}\n  ${colors.bold(spec.status)} ${colors.dim(seconds(at.elapsedMs))}\n`;
}

function phaseLine(name: string, { spec, events }: Progress, spinner: string): string {
  const own = events.filter((event) => event.phase === name);
  const start = own.find((event) => event.type === 'spec.phase_started');
  const end = own.findLast((event) => event.type === 'spec.phase_completed');
  if (end && start) {
    const took = end.created_at.getTime() - start.created_at.getTime();
    return `  ${colors.green('✔')} ${name.padEnd(14)}${colors.dim(seconds(took))}`;
  }
  if (!start) return colors.dim(`  · ${name}`);
  if (spec.status === 'failed') return `  ${colors.red('✘')} ${name}`;
  return `  ${colors.cyan(spinner)} ${colors.bold(name)}`;
}

/** One line an event, for files and pipes. */
export function createPlainDisplay(stream: NodeJS.WritableStream): Display {
  const started = Date.now();
  let shown = 0;
  const doneTasks = new Set<string>();
  const line = (text: string) => stream.write(`[${seconds(Date.now() - started).padStart(7)}] ${text}\n`);
  return {
    say: line,
    update({ events, tasks }) {
      const news = events.slice(shown);
      shown = events.length;
      // The tasks are what "execute" consists of: they come before the line that says it is over.
      const over = news.findIndex(
        ({ type, phase }) => type === 'spec.phase_completed' && phase === 'execute',
      );
      const before = over < 0 ? news.length : over;
      for (const event of news.slice(0, before)) line(words(event));
      for (const task of tasks.filter(({ state, id }) => state === 'done' && !doneTasks.has(id))) {
        doneTasks.add(task.id);
        line(`task ${task.id} done: ${task.title} (${task.commit_sha?.slice(0, 7) ?? 'no commit needed'})`);
      }
      for (const event of news.slice(before)) line(words(event));
    },
    close() {},
  };
}

function words(event: SpecEventRow): string {
  const name = event.type.replace('spec.', '').replaceAll('_', ' ');
  const phase = event.phase ? `: ${event.phase}` : '';
  const attempt = event.attempt > 1 ? ` (attempt ${event.attempt})` : '';
  const { url, name: branch } = event.payload as { url?: string; name?: string };
  return `${name}${phase}${attempt}${url ? ` ${url}` : ''}${branch ? ` ${branch}` : ''}`;
}

/** Shows nothing; for `--json`. */
export function createSilentDisplay(): Display {
  return { say() {}, update() {}, close() {} };
}

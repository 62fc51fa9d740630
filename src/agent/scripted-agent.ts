/**
 * The scripted agent: `node scripted-agent.mjs script.json task.json`. It plays what the script says for one piece of
 * work and prints JSON lines. The app has checked the script (`parseScript`), so this program stays small and quick.
 */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Edit, Play, Script } from './script.ts';

interface Work {
  readonly subject: string;
  readonly attempt: number;
  readonly workspace: string;
}

/** How long "for ever" is; a timer, since a program without one would end. Milliseconds. */
const HANG_MS = 2 ** 31 - 1;

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function playFor(script: Script, work: Work): Play | undefined {
  const { subject, attempt } = work;
  const own = (plays: Script['tasks']): Script['tasks'][string] | undefined =>
    Object.hasOwn(plays, subject) ? plays[subject] : undefined;
  const plays = own(script.tasks) ?? own(script.phases) ?? (subject === 'verify' ? script.verify : undefined);
  return Array.isArray(plays) ? (plays[attempt - 1] ?? plays.at(-1)) : plays;
}

function apply(edit: Edit, workspace: string): void {
  const path = resolve(workspace, edit.path);
  mkdirSync(dirname(path), { recursive: true });
  if ('content' in edit) writeFileSync(path, edit.content);
  else if ('append' in edit) appendFileSync(path, edit.append);
  else if ('mode' in edit) chmodSync(path, Number.parseInt(edit.mode, 8));
  else {
    rmSync(path, { recursive: true, force: true });
    if ('symlink' in edit) symlinkSync(edit.symlink, path);
  }
}

async function perform(play: Play, work: Work): Promise<number> {
  if (play.delayMs) await delay(play.delayMs);
  for (const text of play.say ?? []) say({ type: 'text', text });
  for (const edit of play.edits ?? []) apply(edit, work.workspace);
  if (play.hang) await delay(HANG_MS);
  if (play.output !== undefined) say({ type: 'output', output: play.output });
  if (play.fail !== undefined) say({ type: 'error', message: play.fail });
  return play.exitCode ?? (play.fail === undefined ? 0 : 1);
}

async function main(): Promise<number> {
  const [scriptFile = '', workFile = ''] = process.argv.slice(2);
  const script = JSON.parse(readFileSync(scriptFile, 'utf8')) as Script;
  const work = JSON.parse(readFileSync(workFile, 'utf8')) as Work;
  const play = playFor(script, work);
  if (play) return perform(play, work);
  say({ type: 'error', message: `the script has no play for "${work.subject}"` });
  return 1;
}

process.exitCode = await main();

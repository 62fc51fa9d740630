import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentGround } from './drive-agent.ts';

/** Texts beyond this are of no use in a recording, characters. */
const LONGEST = 400;
/** Lists beyond this neither: names of tools, commands and skills. */
const MOST = 5;

function fileOf(driver: string, scenario: string): string {
  return fileURLToPath(new URL(`../fixtures/agents/${driver}/${scenario}.jsonl`, import.meta.url));
}

/** The lines that a real program printed once. @throws Error that says how they are recorded */
export function readRecording(driver: string, scenario: string): string[] {
  const file = fileOf(driver, scenario);
  if (!existsSync(file)) throw new Error(`${file} is missing: RECORD=1 npm run test:agents writes it`);
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

/** Keeps what a real program printed, without what is this machine's and without what no driver reads. */
export function writeRecording(
  of: { driver: string; scenario: string },
  lines: readonly string[],
  ground: AgentGround,
): void {
  const file = fileOf(of.driver, of.scenario);
  mkdirSync(dirname(file), { recursive: true });
  const trimmed = lines.map((line) => neutral(JSON.stringify(trim(essence(JSON.parse(line)))), ground));
  writeFileSync(file, `${trimmed.join('\n')}\n`);
}

/** What a program says of itself and of its machine when it starts changes with both. */
function essence(line: Readonly<Record<string, unknown>>): unknown {
  if (line.subtype !== 'init') return line;
  const { type, subtype, session_id, model, claude_code_version } = line;
  return { type, subtype, session_id, model, claude_code_version };
}

function trim(value: unknown): unknown {
  if (typeof value === 'string') return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  if (Array.isArray(value)) return value.slice(0, MOST).map(trim);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, trim(part)]));
}

function neutral(line: string, ground: AgentGround): string {
  const dashed = ground.workspace.replaceAll(/[^A-Za-z0-9]/g, '-');
  return line
    .replaceAll(ground.workspace, '/workspace')
    .replaceAll(ground.home, '/home/agent')
    .replaceAll(ground.scratch, '/home/agent/runs/1')
    .replaceAll(dashed, '-workspace')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:7000');
}

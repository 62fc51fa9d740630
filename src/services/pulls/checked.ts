import type { Weakening } from '../branches/checks/weakened-tests.ts';
import type { GateReport } from '../branches/report.ts';
import { hostWords, type RefusedHost } from '../egress/words.ts';
import { code, inline } from '../markdown/markdown.ts';
import type { Section } from './template.ts';

const MOST_LISTED = 30;

/** What the diff gate let pass and a reviewer should look at; nothing where there is nothing. */
export function gateSections(
  gate: Pick<GateReport, 'weakened' | 'generated' | 'lockFiles'> | null,
): Section[] {
  if (!gate) return [];
  const { weakened, generated, lockFiles } = gate;
  return [
    ...section({
      title: 'Tests that this change deletes or weakens',
      lead: 'Found by comparing lines; a test that was only rewritten may be among them.',
      lines: weakened.map(weakeningLine),
    }),
    ...section({
      title: 'Generated and lock files',
      lead: 'Written by tools, and not counted as part of the work.',
      lines: [...new Set([...lockFiles, ...generated])].map((path) => `- ${code(path)}`),
    }),
  ];
}

/** Hosts that the work asked for and did not get: a reviewer may want to know why it did. */
export function hostSection(refused: readonly RefusedHost[]): Section[] {
  return section({
    title: 'Hosts that were asked for and not reached',
    lead: 'A sandbox reaches only what the settings of this repository allow.',
    lines: refused.map((host) => `- ${hostWords(host)}`),
  });
}

function section(of: { title: string; lead: string; lines: readonly string[] }): Section[] {
  if (of.lines.length === 0) return [];
  const more = of.lines.length - MOST_LISTED;
  const lines = [...of.lines.slice(0, MOST_LISTED), ...(more > 0 ? [`- … and ${more} more`] : [])];
  return [{ title: of.title, body: `${of.lead}\n\n${lines.join('\n')}`, belongsUnder: [] }];
}

function weakeningLine(weakening: Weakening): string {
  const path = code(weakening.path);
  switch (weakening.kind) {
    case 'deleted':
      return `- ${path} is deleted`;
    case 'cases_removed':
      return `- ${path}: ${count(weakening.count, 'test case')} taken out${named(weakening.names)}`;
    case 'skipped': {
      const lines = weakening.lines.slice(0, 10).join(', ');
      return `- ${path}: tests are skipped or narrowed (line ${lines})`;
    }
    case 'assertions_removed':
      return `- ${path}: ${count(weakening.count, 'assertion')} fewer than before`;
  }
}

function named(names: readonly string[]): string {
  return names.length === 0 ? '' : ` (${names.map((name) => `“${inline(name, 120)}”`).join(', ')})`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

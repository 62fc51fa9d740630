import colors from 'picocolors';
import type { Finding, Verdict } from './finding.ts';

const marks: Readonly<Record<Verdict, string>> = {
  ok: colors.green('ok   '),
  attention: colors.yellow('look '),
  wrong: colors.red('WRONG'),
  unknown: colors.dim('?    '),
};

const WIDTH = 18;

/** One line for each finding, what to do below it, and one line in sum. */
export function render(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ about, verdict, says, fix }) => [
    `${marks[verdict]}  ${about.padEnd(WIDTH)}${says}`,
    ...(fix === undefined ? [] : [`${' '.repeat(7 + WIDTH)}→ ${fix}`]),
  ]);
  return `${lines.join('\n')}\n\n${sum(findings)}\n`;
}

function sum(findings: readonly Finding[]): string {
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const [broken, notable] = [count('wrong'), count('attention')];
  if (broken > 0) return `${broken} ${broken === 1 ? 'thing is' : 'things are'} wrong.`;
  return notable > 0
    ? `Nothing is wrong; ${notable} ${notable === 1 ? 'thing wants' : 'things want'} a look.`
    : 'Nothing is wrong.';
}

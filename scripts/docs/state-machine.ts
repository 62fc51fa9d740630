import { inputTypes } from '../../src/services/spec/inputs.ts';
import { table } from '../../src/services/spec/machine.ts';
import { isLive, type Status, statuses } from '../../src/services/spec/states.ts';

/** `docs/state-machine.md`: the diagram and the table, both drawn from the code that decides. */
export function stateMachinePage(): string {
  return `# The states of a spec

Made by \`npm run docs\` from \`src/services/spec/machine.ts\`.

A spec is *live* until it is merged, closed, failed or cancelled; an issue has at most one live spec. Beside its status
it has a phase, an attempt, a round (raised whenever a person has it tried again) and, where it must wait, a hold
\`{reason, until, resumeTo}\`. What follows from an input is decided by one pure function; an input that comes late,
twice or never fits is called obsolete, with a reason that is kept.

## Ways from one status to another

Not drawn: \`cancelled\`, \`label_removed\` and \`pull_merged\`, which end a spec from almost anywhere (see the table), and
inputs that leave the status as it is.

\`\`\`mermaid
stateDiagram-v2
${diagram().join('\n')}
\`\`\`

## What each input does in each status

\`·\` means obsolete; \`stays\` means that something is noted or done and the status is the same.

${matrix()}

## Why an input is obsolete

${reasons()}
`;
}

/** Drawn from everywhere they would hide the rest. */
const everywhere = new Set(['cancelled', 'label_removed', 'pull_merged']);

function diagram(): string[] {
  const arrows = new Map<string, string[]>();
  for (const { status, input, cell } of table()) {
    if ('obsolete' in cell || everywhere.has(input)) continue;
    for (const to of cell.to.filter((each) => each !== status)) {
      const arrow = `${status} --> ${to}`;
      arrows.set(arrow, [...(arrows.get(arrow) ?? []), input]);
    }
  }
  const drawn = [...arrows].map(([arrow, inputs]) => `  ${arrow}: ${inputs.join(', ')}`);
  const ends = statuses.filter((status) => !isLive(status)).map((status) => `  ${status} --> [*]`);
  return ['  [*] --> queued: issues.labeled', ...drawn, ...ends];
}

function matrix(): string {
  const cells = new Map(table().map((entry) => [`${entry.status} ${entry.input}`, entry]));
  const rows = inputTypes.map((input) => {
    const results = statuses.map((status) => result(status, cells.get(`${status} ${input}`)!.cell));
    return `| \`${input}\` | ${results.join(' | ')} |`;
  });
  return [
    `| input | ${statuses.join(' | ')} |`,
    `| --- | ${statuses.map(() => '---').join(' | ')} |`,
    ...rows,
  ].join('\n');
}

function result(status: Status, cell: ReturnType<typeof table>[number]['cell']): string {
  if ('obsolete' in cell) return '·';
  return cell.to.map((to) => (to === status ? 'stays' : to)).join(' or ');
}

function reasons(): string {
  const known = new Map<string, string[]>();
  for (const { status, input, cell } of table()) {
    if (!('obsolete' in cell)) continue;
    // The sentence that only names the two tells no more than the table.
    if (cell.obsolete.includes(`"${input}"`)) continue;
    known.set(cell.obsolete, [...(known.get(cell.obsolete) ?? []), `${status} ${input}`]);
  }
  const lines = [...known].map(([reason, pairs]) => {
    const inputs = new Set(pairs.map((pair) => pair.split(' ')[1]));
    const where = new Set(pairs.map((pair) => pair.split(' ')[0]));
    const what =
      inputs.size > 3 ? 'every other input' : [...inputs].map((input) => `\`${input}\``).join(', ');
    return `| ${[...where].join(', ')} | ${what} | ${reason} |`;
  });
  return ['| status | input | reason |', '| --- | --- | --- |', ...lines].join('\n');
}

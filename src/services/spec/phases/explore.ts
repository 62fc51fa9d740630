import { z } from 'zod';
import { pathProblem } from '../../branches/paths.ts';
import { code, inline } from '../../markdown/markdown.ts';
import type { PhaseDefinition } from './definition.ts';
import { filePath, line, lines, text } from './fields.ts';
import { framePrompt } from './frame.ts';
import { duplicatesOf } from './graph.ts';
import { joinSections, listSection, proseSection, section } from './markdown.ts';

const schema = z.object({
  summary: text('what this repository is and how it is laid out, in a few sentences', 4000),
  projectType: line('for example: Node library, Django site, Rust CLI', 120),
  techStack: lines('languages, frameworks and tools that are in use, with versions where they matter'),
  keyFiles: z
    .array(z.object({ path: filePath, purpose: line('what it is for') }))
    .max(40)
    .describe('the files that a newcomer should read first; they have to exist'),
  conventions: lines('naming, layout, error handling and testing habits that the change has to keep'),
  testCommand: z.string().min(1).max(300).nullable().describe('the command that runs the tests, or null'),
  relevant: z
    .array(z.object({ path: filePath, why: line('what it has to do with the issue') }))
    .max(40)
    .describe('the files that the issue touches; they have to exist'),
  risks: lines('what could go wrong with this change'),
  questions: lines('what the issue leaves open, most important first'),
});

export type ExploreArtifact = z.infer<typeof schema>;

const INSTRUCTIONS = `Find out what the change will meet. Read the README, the manifest, the tests and the code that the issue is
about. Name only files that you have seen. Say what is there, not what ought to be there; propose no solution yet.`;

export const explore: PhaseDefinition<'explore'> = {
  name: 'explore',
  schemaVersion: 1,
  schema,
  prompt: (input) => framePrompt({ name: 'explore', schema, instructions: INSTRUCTIONS, needs: [] }, input),
  gate(artifact) {
    const paths = [...artifact.keyFiles, ...artifact.relevant].map((file) => file.path);
    return [
      ...[...new Set(paths)].flatMap((path) => {
        const problem = pathProblem(path);
        return problem ? [`The path ${JSON.stringify(path)} ${problem}.`] : [];
      }),
      ...duplicatesOf(artifact.keyFiles.map((file) => file.path)).map(
        (path) => `keyFiles names ${JSON.stringify(path)} twice.`,
      ),
    ];
  },
  render: (artifact) =>
    joinSections([
      ...proseSection('Summary', artifact.summary),
      ...section('Project', projectLines(artifact)),
      ...section(
        'Key files',
        artifact.keyFiles.map((file) => `- ${code(file.path)}: ${inline(file.purpose)}`).join('\n'),
      ),
      ...listSection('Conventions', artifact.conventions),
      ...section(
        'Relevant to this issue',
        artifact.relevant.map((file) => `- ${code(file.path)}: ${inline(file.why)}`).join('\n'),
      ),
      ...listSection('Risks', artifact.risks),
      ...listSection('Questions', artifact.questions),
    ]),
};

function projectLines(artifact: ExploreArtifact): string {
  return [
    `- Type: ${inline(artifact.projectType)}`,
    ...(artifact.techStack.length > 0
      ? [`- Stack: ${artifact.techStack.map((item) => inline(item)).join(', ')}`]
      : []),
    `- Tests: ${artifact.testCommand ? code(artifact.testCommand) : 'no command found'}`,
  ].join('\n');
}

import { z } from 'zod';
import { type PathRules, pathProblem } from '../../branches/paths.ts';
import { code, inline, prose } from '../../markdown/markdown.ts';
import { type PhaseDefinition, required } from './definition.ts';
import { filePath, line, lines, requirementId, text } from './fields.ts';
import { framePrompt } from './frame.ts';
import { duplicatesOf, unknownOf } from './graph.ts';
import { joinSections, listSection, proseSection, section } from './markdown.ts';

const schema = z.object({
  architecture: text('how the change fits into what is there, and why this way and not another'),
  components: z
    .array(
      z.object({
        name: line('a name that the code will use', 120),
        files: z.array(filePath).max(40),
        responsibility: line('the one thing that it does', 600),
        requirements: z.array(requirementId).max(40).describe('the requirements that it answers'),
      }),
    )
    .min(1)
    .max(30),
  dataModels: z
    .array(z.object({ name: line('type or table', 120), description: text('fields and rules', 2000) }))
    .max(30),
  interfaces: z
    .array(
      z.object({
        signature: line('function, route or command with its types', 600),
        description: text('inputs, result, errors', 2000),
      }),
    )
    .max(40),
  errorHandling: text('what fails, and what the user sees then', 3000),
  testing: text('what is tested at which level, with which tool', 3000),
  security: text('what an attacker could try, or why there is nothing to try', 3000),
  risks: lines('what could go wrong, and what is done about it'),
});

export type DesignArtifact = z.infer<typeof schema>;
type Component = DesignArtifact['components'][number];

const INSTRUCTIONS = `Design the smallest change that meets every requirement and keeps the repository's conventions. Each requirement is
answered by at least one component. Name the files that each component lives in, whether they exist yet or not.`;

export const design: PhaseDefinition<'design'> = {
  name: 'design',
  schemaVersion: 1,
  schema,
  prompt: (input) =>
    framePrompt(
      { name: 'design', schema, instructions: INSTRUCTIONS, needs: ['explore', 'requirements'] },
      input,
    ),
  gate(artifact, context) {
    const known = new Set(required(context, 'requirements').requirements.map(({ id }) => id));
    const answered = new Set(artifact.components.flatMap((component) => component.requirements));
    return [
      ...duplicatesOf(artifact.components.map(({ name }) => name)).map(
        (name) => `The component ${JSON.stringify(name)} is described more than once.`,
      ),
      ...artifact.components.flatMap((component) => componentFailures(component, known, context)),
      ...unknownOf(known, answered).map((id) => `${id} is answered by no component.`),
    ];
  },
  render: (artifact) =>
    joinSections([
      ...proseSection('Architecture', artifact.architecture),
      ...section('Components', artifact.components.map(renderComponent).join('\n')),
      ...section(
        'Data models',
        artifact.dataModels
          .map((model) => `**${inline(model.name)}**\n\n${prose(model.description)}`)
          .join('\n\n'),
      ),
      ...section(
        'Interfaces',
        artifact.interfaces
          .map((api) => `${code(api.signature, 600)}\n\n${prose(api.description)}`)
          .join('\n\n'),
      ),
      ...proseSection('Error handling', artifact.errorHandling),
      ...proseSection('Testing', artifact.testing),
      ...proseSection('Security', artifact.security),
      ...listSection('Risks', artifact.risks),
    ]),
};

function componentFailures(component: Component, known: ReadonlySet<string>, rules: PathRules) {
  const name = `The component ${JSON.stringify(component.name)}`;
  return [
    ...unknownOf(component.requirements, known).map((id) => `${name} answers ${id}, which does not exist.`),
    ...component.files.flatMap((path) => {
      const problem = pathProblem(path, rules);
      return problem ? [`${name} names the file ${JSON.stringify(path)}, which ${problem}.`] : [];
    }),
  ];
}

function renderComponent(component: Component): string {
  const files = component.files.map((path) => code(path)).join(', ');
  const answers = component.requirements.length > 0 ? ` (${component.requirements.join(', ')})` : '';
  return `- **${inline(component.name)}**${answers}: ${inline(component.responsibility, 600)}${files ? `  \n  ${files}` : ''}`;
}

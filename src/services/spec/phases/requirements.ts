import { z } from 'zod';
import { inline, prose } from '../../markdown/markdown.ts';
import type { PhaseDefinition } from './definition.ts';
import { earsProblem } from './ears.ts';
import { criterionId, line, lines, requirementId, storyId, text } from './fields.ts';
import { framePrompt } from './frame.ts';
import { duplicatesOf, unknownOf } from './graph.ts';
import { joinSections, listSection, section } from './markdown.ts';

const schema = z.object({
  overview: z.object({
    problem: text('what is wrong or missing today, and for whom', 2000),
    goal: text('what is true when this is done', 2000),
    outOfScope: lines('what this change leaves alone on purpose'),
  }),
  userStories: z
    .array(
      z.object({
        id: storyId,
        role: line('as a …', 120),
        want: line('I want …'),
        benefit: line('so that …'),
      }),
    )
    .max(20),
  requirements: z
    .array(
      z.object({
        id: requirementId,
        title: line('a few words', 120),
        text: line(
          'one EARS sentence: WHEN/WHILE/IF/WHERE …, the system SHALL …, or The system SHALL …',
          1000,
        ),
        priority: z.enum(['must', 'should', 'could']),
        userStories: z.array(storyId).max(20).describe('the stories that it serves; may be empty'),
        acceptance: z
          .array(z.object({ id: criterionId, text: line('an observation that a test can make', 600) }))
          .min(1)
          .max(20),
      }),
    )
    .min(1)
    .max(40),
  openQuestions: lines('what a person should decide; state the assumption that you made'),
});

export type RequirementsArtifact = z.infer<typeof schema>;
export type Requirement = RequirementsArtifact['requirements'][number];

const INSTRUCTIONS = `Turn the issue into requirements that can be tested. Each requirement is one EARS sentence with SHALL:
"WHEN <trigger>, the system SHALL <response>", "WHILE <state>, …", "IF <unwanted condition>, THEN the system SHALL …",
"WHERE <feature>, …", or plainly "The system SHALL …". Each has at least one acceptance criterion that a test can
observe. Ask for what the issue asks for and no more; as few requirements as cover it.`;

export const requirements: PhaseDefinition<'requirements'> = {
  name: 'requirements',
  schemaVersion: 1,
  schema,
  prompt: (input) =>
    framePrompt({ name: 'requirements', schema, instructions: INSTRUCTIONS, needs: ['explore'] }, input),
  gate: (artifact) => [...duplicates(artifact), ...references(artifact), ...forms(artifact)],
  render: (artifact) =>
    joinSections([
      ...section('Problem', prose(artifact.overview.problem)),
      ...section('Goal', prose(artifact.overview.goal)),
      ...listSection('Out of scope', artifact.overview.outOfScope),
      ...section('User stories', artifact.userStories.map(renderStory).join('\n')),
      ...artifact.requirements.flatMap(renderRequirement),
      ...listSection('Open questions', artifact.openQuestions),
    ]),
};

function duplicates(artifact: RequirementsArtifact): string[] {
  const groups: [string, string[]][] = [
    ['user story', artifact.userStories.map((story) => story.id)],
    ['requirement', artifact.requirements.map((requirement) => requirement.id)],
    [
      'acceptance criterion',
      artifact.requirements.flatMap(({ acceptance }) => acceptance.map(({ id }) => id)),
    ],
  ];
  return groups.flatMap(([kind, ids]) =>
    duplicatesOf(ids).map((id) => `The ${kind} id ${id} is used more than once.`),
  );
}

function references(artifact: RequirementsArtifact): string[] {
  const stories = new Set(artifact.userStories.map((story) => story.id));
  const served = new Set(artifact.requirements.flatMap((requirement) => requirement.userStories));
  return [
    ...artifact.requirements.flatMap((requirement) =>
      unknownOf(requirement.userStories, stories).map(
        (id) => `${requirement.id} names the user story ${id}, which does not exist.`,
      ),
    ),
    ...unknownOf(stories, served).map((id) => `The user story ${id} is served by no requirement.`),
  ];
}

function forms(artifact: RequirementsArtifact): string[] {
  return artifact.requirements.flatMap((requirement) => {
    const problem = earsProblem(requirement.text);
    const foreign = requirement.acceptance.filter(({ id }) => !id.startsWith(`${requirement.id}.`));
    return [
      ...(problem ? [`${requirement.id} is not in EARS form: its text ${problem}.`] : []),
      ...foreign.map(
        ({ id }) =>
          `The acceptance criterion ${id} stands under ${requirement.id}; its id has to begin with "${requirement.id}.".`,
      ),
    ];
  });
}

function renderStory(story: RequirementsArtifact['userStories'][number]): string {
  return `- **${story.id}** As ${inline(story.role)} I want ${inline(story.want)}, so that ${inline(story.benefit)}.`;
}

function renderRequirement(requirement: Requirement): string[] {
  const serves = requirement.userStories.length > 0 ? `, serves ${requirement.userStories.join(', ')}` : '';
  const acceptance = requirement.acceptance.map(({ id, text: what }) => `- **${id}** ${inline(what, 600)}`);
  return section(
    `${requirement.id}: ${inline(requirement.title)}`,
    `${inline(requirement.text, 1000)}\n\n_Priority: ${requirement.priority}${serves}_\n\n${acceptance.join('\n')}`,
  );
}

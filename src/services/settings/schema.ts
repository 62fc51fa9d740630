import { z } from 'zod';
import { stateLabels } from '../spec/rule-parts.ts';

const MiB = 1024 * 1024;

function bounded(min: number, max: number, about: string) {
  return z.int().min(min).max(max).describe(about);
}

/** The parts of a ref name that git refuses everywhere; GitHub has the last word. */
const branchName = z
  .string()
  .min(1)
  .max(200)
  .refine((name) => !/[\s~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$|\.lock$/.test(name) && !hasControl(name), {
    error: 'is no branch name that git accepts',
  });

const glob = z
  .string()
  .min(1)
  .max(500)
  .refine(
    (pattern) => !pattern.startsWith('/') && !pattern.split('/').includes('..') && !hasControl(pattern),
    {
      error: 'has to be a path inside the repository, such as "infra/**"',
    },
  );

const login = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,99}\[bot\]$/, {
  error: 'has to be the login of a bot, such as "renovate[bot]"',
});

function hasControl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}

const limitsSchema = z.strictObject({
  tasks: bounded(1, 200, 'Tasks of one plan.'),
  files: bounded(1, 3000, 'Files that one pull request may change.'),
  fileBytes: bounded(1024, 50 * MiB, 'Size of one changed file, bytes.'),
  totalBytes: bounded(1024, 200 * MiB, 'Size of all changed files together, bytes.'),
  memoryMb: bounded(256, 65_536, 'Memory of a sandbox, MiB.'),
  cpus: z.number().min(0.5).max(64).describe('Processor cores of a sandbox.'),
  processes: bounded(32, 8192, 'Processes of a sandbox at one time.'),
  diskMb: bounded(256, 262_144, 'Disk of a sandbox, MiB.'),
  stepMinutes: bounded(1, 240, 'How long one step of the agent or one command may take, minutes.'),
  attempts: bounded(1, 5, 'Attempts at a phase or a task before the spec fails.'),
});

/** One settings file, whole: every key with its rule and its meaning. */
export const settingsSchema = z.strictObject({
  label: z
    .string()
    .min(1)
    .max(50)
    .refine((text) => !text.includes(',') && !hasControl(text), { error: 'has to be the name of one label' })
    .refine((text) => !Object.values<string>(stateLabels).includes(text), {
      error: 'is a label that shows the state of a spec; choose another one',
    })
    .describe('The label that starts a spec.'),
  base: branchName
    .nullable()
    .describe('The branch that specs start from and pull requests go into; null is the default branch.'),
  verify: z
    .string()
    .min(1)
    .max(2000)
    .nullable()
    .describe(
      'The command that has to succeed before a pull request is opened, run by `sh`; null runs none.',
    ),
  specFiles: z.boolean().describe('Commit the plan as files under `specs/` as well.'),
  protectedPaths: z
    .array(glob)
    .max(200)
    .describe(
      'Paths (globs) that a spec may not change, in addition to workflows and CODEOWNERS. Levels add up: none takes away what another protects.',
    ),
  allowBots: z.array(login).max(50).describe('Bots whose label starts a spec.'),
  limits: limitsSchema.describe('Bounds of one spec.'),
  approval: z.enum(['none']).describe('What a person has to approve before work begins.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** One level: any part of the settings. */
export const settingsFileSchema = settingsSchema
  .partial()
  .extend({ limits: limitsSchema.partial().describe('Bounds of one spec.').optional() });
export type SettingsFile = z.infer<typeof settingsFileSchema>;

export const defaultSettings: Settings = {
  label: 'spec',
  base: null,
  verify: null,
  specFiles: false,
  protectedPaths: [],
  allowBots: [],
  limits: {
    tasks: 40,
    files: 300,
    fileBytes: 1 * MiB,
    totalBytes: 10 * MiB,
    memoryMb: 2048,
    cpus: 2,
    processes: 512,
    diskMb: 4096,
    stepMinutes: 30,
    attempts: 3,
  },
  approval: 'none',
};

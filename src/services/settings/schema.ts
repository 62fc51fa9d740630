import { z } from 'zod';
import { registryNames } from '../egress/allowed.ts';
import { PUBLISH_LABEL, stateLabels } from '../spec/rule-parts.ts';

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

/** The phases in which an agent works. */
export const agentPhases = [
  'explore',
  'requirements',
  'design',
  'tasks',
  'sync',
  'execute',
  'verify',
] as const;
export type AgentPhase = (typeof agentPhases)[number];
const agentPhase = z.enum(agentPhases);

const agentName = z.enum(['claude', 'codex', 'command']);
export type AgentName = z.infer<typeof agentName>;

/** Never the beginning of an option: it goes on a command line. */
const modelName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][\w.:/@[\]-]*$/, {
    error: 'has to be the name of a model as its provider writes it',
  });

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
  turns: bounded(1, 2000, 'Answers of the model in one step, where the agent counts them (`claude`).'),
  attempts: bounded(1, 5, 'Attempts at a phase or a task before the spec fails.'),
});

const dollars = z.number().min(0).max(100_000);

const budgetSchema = z.strictObject({
  specUsd: dollars.describe('What one spec may cost in calls to models, US dollars.'),
  runUsd: dollars.nullable().describe('What one step of its agent may cost, US dollars; null is no bound.'),
  repositoryDayUsd: dollars
    .nullable()
    .describe('What all specs of the repository may cost in a day (UTC), US dollars; null is no bound.'),
});
export type Budget = z.infer<typeof budgetSchema>;

const hostPattern = z.string().regex(/^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/, {
  error: 'has to be the name of a host in lower case, such as "cdn.example.com" or "*.example.com"',
});

const egressSchema = z.strictObject({
  registries: z
    .array(z.enum(registryNames))
    .max(20)
    .describe(
      'Package managers whose public registries a sandbox may reach, so that dependencies can be installed.',
    ),
  hosts: z.array(hostPattern).max(100).describe('Other hosts that a sandbox may reach, by TLS on port 443.'),
});

const secretScanSchema = z.strictObject({
  ignorePaths: z.array(glob).max(200).describe('Files (globs) that are not searched for secrets.'),
  ignoreRules: z
    .array(z.string().min(1).max(200))
    .max(200)
    .describe(
      'Rules that are not applied, as a refusal names them (`github/GITHUB_TOKEN`, or all of `github`).',
    ),
});

/** One settings file, whole: every key with its rule and its meaning. */
export const settingsSchema = z.strictObject({
  label: z
    .string()
    .min(1)
    .max(50)
    .refine((text) => !text.includes(',') && !hasControl(text), { error: 'has to be the name of one label' })
    .refine((text) => text !== PUBLISH_LABEL && !Object.values<string>(stateLabels).includes(text), {
      error: 'is a label that has a meaning of its own for specs; choose another one',
    })
    .describe('The label that starts a spec.'),
  base: branchName
    .nullable()
    .describe('The branch that specs start from and pull requests go into; null is the default branch.'),
  agent: agentName.describe(
    'Who does the work: Claude Code, Codex, or a program of your own (`agentCommand`).',
  ),
  agents: z
    .partialRecord(agentPhase, agentName)
    .describe('Another agent for single phases (`design: codex`). Levels are laid over each other by phase.'),
  agentCommand: z
    .string()
    .min(1)
    .max(2000)
    .nullable()
    .describe(
      'The program behind the agent `command`, run by `sh` in the work tree: it reads its prompt from the file `$PROMPT_FILE`; where `$OUTPUT_SCHEMA_FILE` is set it writes its answer to `$OUTPUT_FILE`, as JSON by that schema. Its exit code and the work tree decide.',
    ),
  model: modelName
    .nullable()
    .describe(
      'The model that the agent asks, in its own words (`claude-sonnet-5`); null leaves it the choice.',
    ),
  models: z
    .partialRecord(agentPhase, modelName)
    .describe('Another model for single phases. Levels are laid over each other by phase.'),
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
  workflows: z
    .boolean()
    .describe(
      'Whether a spec may change `.github/workflows`. It needs an App that asks for “Workflows: write” (`app.workflows.yml`) as well.',
    ),
  generatedPaths: z
    .array(glob)
    .max(200)
    .describe(
      'Files (globs) that tools write: they do not count for the limits of size, and the pull request lists them apart.',
    ),
  lockFiles: z
    .enum(['with-manifest', 'allow', 'refuse'])
    .describe(
      'Lock files of package managers: only together with the manifest beside or below them, always, or never.',
    ),
  secretScan: secretScanSchema.describe('What the search for secrets lets pass.'),
  publish: z
    .enum(['auto', 'after-approval'])
    .nullable()
    .describe(
      'Whether finished work is published at once, or when a person with write access has seen the diff and set the label `spec:publish`; null is `auto` for issues by people with write access and `after-approval` for all others.',
    ),
  allowBots: z.array(login).max(50).describe('Bots whose label starts a spec.'),
  limits: limitsSchema.describe('Bounds of one spec.'),
  egress: egressSchema.describe('What a sandbox may reach; nothing by default.'),
  budget: budgetSchema.describe('What calls to models may cost. What is reached holds the spec.'),
  approval: z.enum(['none']).describe('What a person has to approve before work begins.'),
});
export type Settings = z.infer<typeof settingsSchema>;

/** One level: any part of the settings. */
export const settingsFileSchema = settingsSchema.partial().extend({
  limits: limitsSchema.partial().describe('Bounds of one spec.').optional(),
  egress: egressSchema.partial().describe('What a sandbox may reach; nothing by default.').optional(),
  budget: budgetSchema
    .partial()
    .describe('What calls to models may cost. What is reached holds the spec.')
    .optional(),
  secretScan: secretScanSchema.partial().describe('What the search for secrets lets pass.').optional(),
});
export type SettingsFile = z.infer<typeof settingsFileSchema>;

export const defaultSettings: Settings = {
  label: 'spec',
  base: null,
  agent: 'claude',
  agents: {},
  agentCommand: null,
  model: null,
  models: {},
  verify: null,
  specFiles: false,
  protectedPaths: [],
  workflows: false,
  generatedPaths: [],
  lockFiles: 'with-manifest',
  secretScan: { ignorePaths: [], ignoreRules: [] },
  publish: null,
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
    turns: 200,
    attempts: 3,
  },
  egress: { registries: [], hosts: [] },
  budget: { specUsd: 5, runUsd: null, repositoryDayUsd: null },
  approval: 'none',
};

import { z } from 'zod';

/** The parts of GitHub's payloads that we read. Everything else passes by. */
const account = z.object({ id: z.number(), login: z.string(), type: z.string().default('User') });

const sender = z.object({ id: z.number(), login: z.string(), type: z.string().default('User') });

const repository = z.object({
  id: z.number(),
  name: z.string(),
  owner: account,
  private: z.boolean().default(false),
  archived: z.boolean().default(false),
  default_branch: z.string().default('main'),
});

const installationRef = z.object({ id: z.number() });

const label = z.object({ name: z.string() });

const issue = z.object({
  number: z.number(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.string().default('open'),
  labels: z.array(label).default([]),
  type: z.object({ name: z.string() }).nullish(),
  pull_request: z.unknown().optional(),
});

export const repositoryEvent = z.object({ repository, installation: installationRef, sender });
export type RepositoryEvent = z.infer<typeof repositoryEvent>;

export const issueEvent = repositoryEvent.extend({ issue });
export type IssueEvent = z.infer<typeof issueEvent>;

export const labelEvent = issueEvent.extend({ label });
export type LabelEvent = z.infer<typeof labelEvent>;

const side = z.object({
  ref: z.string(),
  sha: z.string(),
  repo: z.object({ id: z.number() }).nullish(),
});

export const pullRequestEvent = repositoryEvent.extend({
  pull_request: z.object({
    number: z.number(),
    html_url: z.string(),
    merged: z.boolean().nullish(),
    merge_commit_sha: z.string().nullish(),
    head: side,
    base: side,
  }),
});
export type PullRequestEvent = z.infer<typeof pullRequestEvent>;

export const deleteEvent = repositoryEvent.extend({ ref: z.string(), ref_type: z.string() });

const shortRepository = z.object({
  id: z.number(),
  full_name: z.string(),
  private: z.boolean().default(false),
});
export type ShortRepository = z.infer<typeof shortRepository>;

const installation = z.object({
  id: z.number(),
  account,
  permissions: z.record(z.string(), z.string()).default({}),
  suspended_at: z.string().nullish(),
});

export const installationEvent = z.object({
  installation,
  sender,
  repositories: z.array(shortRepository).default([]),
});
export type InstallationEvent = z.infer<typeof installationEvent>;

export const installationRepositoriesEvent = z.object({
  installation,
  sender,
  repositories_added: z.array(shortRepository).default([]),
  repositories_removed: z.array(shortRepository).default([]),
});

export const installationTargetEvent = z.object({
  account,
  installation: installationRef,
  sender,
});

import { z } from 'zod';

/** The parts of GitHub's payloads that we read. Everything else passes by. */
/** Ids of GitHub are whole; what no column could hold is no id. */
const id = z.int().positive();

const number = id.max(2 ** 31 - 1);

const account = z.object({ id, login: z.string(), type: z.string().default('User') });

/** Part of a repository's path: what GitHub allows there, and nothing that could mean another path. */
const segment = z.string().regex(/^(?!\.{1,2}$)[\w.-]+$/);

const sender = z.object({ id, login: z.string(), type: z.string().default('User') });

const seconds = z
  .number()
  .int()
  .positive()
  .max(8_640_000_000_000)
  .transform((value) => new Date(value * 1000));

/** GitHub's time of what a payload says; in seconds since 1970 or as text, and null where there is none. */
const time = z
  .union([z.iso.datetime({ offset: true }).transform((text) => new Date(text)), seconds])
  .nullish()
  .catch(null);

const repository = z.object({
  id,
  name: segment,
  updated_at: time,
  owner: account.extend({ login: segment }),
  private: z.boolean().default(false),
  archived: z.boolean().default(false),
  default_branch: z.string().default('main'),
});

const installationRef = z.object({ id });

const label = z.object({ name: z.string() });

const issue = z.object({
  number,
  title: z.string(),
  body: z.string().nullish(),
  state: z.string().default('open'),
  labels: z.array(label).default([]),
  type: z.object({ name: z.string() }).nullish(),
  /** Who wrote it; null where the account is gone. */
  user: account.nullish().catch(null),
  updated_at: time,
  pull_request: z.unknown().optional(),
});

export const repositoryEvent = z.object({ repository, installation: installationRef, sender });
export type RepositoryEvent = z.infer<typeof repositoryEvent>;

export const issueEvent = repositoryEvent.extend({ issue });
export type IssueEvent = z.infer<typeof issueEvent>;

/** `vouched` is our own: false where nobody can say that the text is the one that was labelled. */
export const labelEvent = issueEvent.extend({ label, vouched: z.boolean().default(true) });
export type LabelEvent = z.infer<typeof labelEvent>;

const side = z.object({
  ref: z.string(),
  sha: z.string(),
  repo: z.object({ id }).nullish(),
});

export const pullRequestEvent = repositoryEvent.extend({
  pull_request: z.object({
    number,
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
  id,
  full_name: z.string().regex(/^(?!\.{1,2}\/)[\w.-]+\/(?!\.{1,2}$)[\w.-]+$/),
  private: z.boolean().default(false),
});
export type ShortRepository = z.infer<typeof shortRepository>;

const installation = z.object({
  id,
  account,
  permissions: z.record(z.string(), z.string()).default({}),
  suspended_at: z.string().nullish(),
  updated_at: time,
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
export type InstallationRepositoriesEvent = z.infer<typeof installationRepositoriesEvent>;

export const installationTargetEvent = z.object({
  account,
  installation: installationRef,
  sender,
});

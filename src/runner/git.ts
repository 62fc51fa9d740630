import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import type { Emit } from './context.ts';
import { gitEnvironment } from './environment.ts';
import { GENERATION_HEADER } from './limits.ts';
import type { ProcessEnd } from './process.ts';
import type { RunnerConfig } from './protocol.ts';

export interface GitRequest {
  readonly args: readonly string[];
  readonly timeoutMs?: number;
  readonly stepId?: string;
  readonly stdin?: string;
  readonly author?: { name: string; email: string };
}

export interface GitEnd extends ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** What git needs to run: the work tree is its working folder. */
export interface GitPlace {
  readonly config: RunnerConfig;
  readonly emit: Emit;
  readonly stopped: AbortSignal;
}

/** A limit for commands that have none of their own, milliseconds. */
const DEFAULT_MS = 10 * 60_000;
/** What is kept of each stream, characters from the end. */
const KEPT = 64_000;

/** Runs git in the work tree, each stream apart. Never throws. */
export async function git(place: GitPlace, request: GitRequest): Promise<GitEnd> {
  const text = { stdout: '', stderr: '' };
  const end = await runCommand(place, {
    argv: ['git', ...request.args],
    cwd: place.config.workspace,
    env: gitEnvironment(place.config, request.author),
    stdin: request.stdin ?? null,
    timeoutMs: request.timeoutMs ?? DEFAULT_MS,
    stopped: place.stopped,
    stepId: request.stepId ?? null,
    onOutput(stream, chunk) {
      text[stream] = (text[stream] + chunk).slice(-KEPT);
    },
  });
  return { ...end, ...text };
}

/** Runs git and answers its trimmed standard output. @throws Error with the end of what git said */
export async function gitOutput(place: GitPlace, request: GitRequest): Promise<string> {
  const end = await git(place, request);
  if (end.code !== 0) throw new Error(describeGitFailure(request.args[0] ?? '', end));
  return end.stdout.trim();
}

/** One sentence for a git command that failed, with the end of what it said. */
export function describeGitFailure(verb: string, end: GitEnd): string {
  if (end.startError !== null) return `git ${verb}: ${end.startError}`;
  if (end.timedOut) return `git ${verb} took too long`;
  return `git ${verb} ended with ${end.code}: ${end.stderr.trim().slice(-2_000)}`;
}

/** The remote's address behind the bridge. */
export function remoteUrl(config: RunnerConfig, gatewayUrl: string): string {
  return `${gatewayUrl}/git/${config.repository}.git`;
}

/**
 * Writes $HOME/.gitconfig for the runner and the agent alike. No hook runs and no helper is asked for a credential;
 * the only thing that identifies a request is the generation, which is no secret. The agent may change this file or
 * the repository's own configuration (aliases, filters, a monitor): that reaches nothing outside the sandbox, and the
 * app trusts only what its gateway saw.
 */
export function writeGitConfig(config: RunnerConfig, gatewayUrl: string): void {
  const name = (config.environment.GITHUB_USERNAME ?? 'specwright').replace(/[^\w.[\]-]/g, '-');
  const text = `[user]
\tname = "${name}"
\temail = "${name}@localhost"
[core]
\thooksPath = /dev/null
\tfsmonitor = false
[safe]
\tdirectory = *
[credential]
\thelper =
[protocol]
\tversion = 2
[init]
\tdefaultBranch = specwright
[gc]
\tauto = 0
[maintenance]
\tauto = false
[advice]
\tdetachedHead = false
[http "${gatewayUrl}/"]
\textraHeader = "${GENERATION_HEADER}: ${config.generation}"
`;
  writeFileSync(join(config.home, '.gitconfig'), text);
}

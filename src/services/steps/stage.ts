import type { RunRow } from '../../db/runs.ts';
import type { StepResult } from '../../runner/protocol.ts';

/** Where one attempt at a piece of work (agent → commit → push) stands. */
export type Stage =
  | { readonly at: 'agent' }
  | { readonly at: 'commit' }
  | { readonly at: 'push'; readonly sha: string }
  /** Pushed, or nothing to push. */
  | { readonly at: 'done'; readonly sha: string | null };

type Runs = readonly Pick<RunRow, 'step' | 'sandbox_id' | 'result'>[];

/**
 * Reads the stage from the finished runs of one attempt. What an agent did is lost with its sandbox, and so is a
 * commit, unless it reached the checkpoint: then the push was done and only its answer is missing.
 */
export function stageOf(
  runs: Runs,
  at: { prefix: string; sandboxId: string; checkpointSha: string | null; baseSha: string },
): Stage {
  const resultOf = (stage: string, here: boolean) =>
    runs.find((run) => run.step === `${at.prefix}${stage}` && (!here || run.sandbox_id === at.sandboxId))
      ?.result as StepResult | undefined;
  const everCommitted = runs
    .filter((run) => run.step === `${at.prefix}commit`)
    .map((run) => run.result as StepResult)
    .find((result) => result.kind === 'commit' && result.sha === at.checkpointSha && !result.empty);
  if (everCommitted) return { at: 'done', sha: at.checkpointSha };
  const commit = resultOf('commit', true);
  if (commit?.kind === 'commit') {
    // Nothing new on top of a commit that never arrived is work that is missing.
    const nothing = commit.empty && commit.sha === (at.checkpointSha ?? at.baseSha);
    return nothing ? { at: 'done', sha: null } : { at: 'push', sha: commit.sha };
  }
  const agent = resultOf('agent', true);
  return agent?.kind === 'agent' && agent.outcome === 'done' ? { at: 'commit' } : { at: 'agent' };
}

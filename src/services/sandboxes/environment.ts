import type { SpecRow } from '../../db/specs.ts';

/**
 * The documented environment of a run (docs/sandbox.md). The runner adds SPEC_PHASE and GATEWAY_URL, which change
 * with the step and the place. Nothing else gets in: no token, no key.
 */
export function runEnvironment(run: {
  spec: SpecRow;
  sandboxId: string;
  generation: number;
  owner: string;
  name: string;
}): Record<string, string> {
  const { spec } = run;
  return {
    SPEC_ID: spec.id,
    SPEC_TITLE: oneLine(spec.title),
    PROJECT_ID: String(spec.repository_id),
    USER_ID: String(spec.requester_id),
    SANDBOX_ID: run.sandboxId,
    SANDBOX_GENERATION: String(run.generation),
    GITHUB_REPO: `${run.owner}/${run.name}`,
    GITHUB_REPO_OWNER: run.owner,
    GITHUB_USERNAME: spec.requester_login,
  };
}

/** A title comes from anybody: control characters have no business in an environment. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}

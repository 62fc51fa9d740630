import { readInstallationRow } from '../../db/accounts.ts';
import { takePlace } from '../../db/spec-places.ts';
import { annotateSpec, readSpec, type SpecRow } from '../../db/specs.ts';
import { readBranchRules } from '../../github/branches.ts';
import type { RepoRef } from '../../github/client.ts';
import { GitHubError } from '../../github/errors.ts';
import { readInstallation } from '../../github/installations.ts';
import { readRef } from '../../github/refs.ts';
import { readRepository, unseen } from '../../github/repositories.ts';
import { PERMISSIONS } from '../../github/tokens.ts';
import { agentProblems } from '../agents/problems.ts';
import { branchName } from '../branches/name.ts';
import { credentialProblems } from '../credentials/problems.ts';
import type { Deps } from '../deps.ts';
import { reachOf } from '../effects/target.ts';
import type { SpecInput } from '../spec/inputs.ts';
import { decidePatiently } from '../spec/patience.ts';
import { settingsOf } from '../spec/work.ts';
import {
  deploymentProblems,
  needsSignatures,
  permissionProblems,
  repositoryProblems,
  ruleProblems,
  settingsProblems,
} from './problems.ts';

/** Before anything was started, trying again costs a person no more than a label. */
const PATIENCE_MINUTES = 15;

const NEEDED = { ...PERMISSIONS.control, ...PERMISSIONS.issues };

/** Looks at everything a spec needs before a sandbox is started, and starts it or says what is missing. */
export async function prepareSpec(deps: Deps, { specId }: { specId: string }): Promise<void> {
  const spec = await readSpec(deps.db, specId);
  if (spec?.status !== 'queued' || spec.hold !== null) return;
  if (!(await takePlace(deps.db, spec, deps.models.specsAtOnce))) return;
  await decidePatiently(deps, {
    specId,
    minutes: PATIENCE_MINUTES,
    ask: () => inspect(deps, spec),
    unanswered: (cause) => failed([cause]),
  });
}

function failed(problems: readonly string[]): SpecInput {
  return { type: 'preflight_failed', cause: problems.join('\n') };
}

async function inspect(deps: Deps, spec: SpecRow): Promise<SpecInput> {
  const local = [
    ...settingsProblems(spec),
    ...deploymentProblems(deps),
    ...(await agentProblems(deps, settingsOf(spec))),
    ...(await credentialProblems(deps, { spec, settings: settingsOf(spec) })),
  ];
  if (local.length > 0) return failed(local);
  const reach = await reachOf(deps.db, spec.repository_id);
  if (reach.kind !== 'open') return failed([`Specwright can't work here: ${reach.reason}.`]);
  const recorded = await readInstallationRow(deps.db, reach.repo.installationId);
  if (recorded && permissionProblems(recorded.permissions, NEEDED).length > 0) {
    // A webhook may have been missed, so GitHub has the last word.
    const problems = await missingPermissions(deps, reach.repo);
    if (problems.length > 0) return failed(problems);
  }
  try {
    return await ask(deps, spec, reach.repo);
  } catch (error) {
    if (error instanceof GitHubError && isAboutPermissions(error)) {
      const problems = await missingPermissions(deps, reach.repo);
      if (problems.length > 0) return failed(problems);
    }
    throw error;
  }
}

async function ask(deps: Deps, spec: SpecRow, repo: RepoRef): Promise<SpecInput> {
  const branch = branchName(spec.id, spec.title);
  const [repository, rules] = await Promise.all([
    readRepository(deps.github, repo),
    readBranchRules(deps.github, repo, branch),
  ]);
  // It may have gone elsewhere a moment ago: the webhook that tells where decides, and comes when it comes.
  if (repository.kind === 'missing') throw unseen();
  const base = spec.base_branch ?? settingsOf(spec).base ?? repository.defaultBranch;
  const head = await readRef(deps.github, repo, `heads/${base}`);
  const signatures = needsSignatures(rules);
  if (signatures !== spec.needs_signatures) {
    await annotateSpec(deps.db, spec.id, { needs_signatures: signatures });
  }
  const problems = [...repositoryProblems(repository, { base, head }), ...ruleProblems(rules, branch)];
  if (problems.length > 0 || head.kind !== 'found') return failed(problems);
  return { type: 'prepared', baseBranch: base, baseSha: spec.base_sha ?? head.sha };
}

function isAboutPermissions(error: GitHubError): boolean {
  return error.kind === 'forbidden' || error.kind === 'invalid';
}

/** What the installation lacks, asked live; a sentence each. */
export async function missingPermissions(deps: Deps, repo: RepoRef): Promise<string[]> {
  const installation = await readInstallation(deps.github, repo.installationId);
  if (installation.kind === 'missing') return ['The App is no longer installed here. Install it again.'];
  return permissionProblems(installation.permissions, NEEDED);
}

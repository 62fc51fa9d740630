import { readProject } from '../../db/accounts.ts';
import { isApproved } from '../../db/approvals.ts';
import { annotateSpec, readSpec, type SpecRow } from '../../db/specs.ts';
import { listTasks } from '../../db/tasks.ts';
import type { RepoRef } from '../../github/client.ts';
import { type Comparison, compareCommits } from '../../github/commits.ts';
import { readRepository, unseen } from '../../github/repositories.ts';
import { readBlob, readTree, type TreeEntry } from '../../github/trees.ts';
import type { Deps } from '../deps.ts';
import { reachOf } from '../effects/target.ts';
import { findTemplate } from '../pulls/template.ts';
import type { SpecInput } from '../spec/inputs.ts';
import { decidePatiently } from '../spec/patience.ts';
import { approvalReason } from '../spec/publish-approval.ts';
import { settingsOf } from '../spec/work.ts';
import type { ChangedText } from './checks/lines.ts';
import {
  type DiffRules,
  type TreeEntry as GateEntry,
  inspectDiff,
  isGenerated,
  type Pair,
  pairsOf,
} from './diff-gate.ts';
import { judgeTexts } from './judge-texts.ts';
import { specFolder } from './name.ts';
import { readChange } from './read-change.ts';
import { readHistory } from './read-history.ts';
import { reportOf, shownDiff } from './report.ts';
import { workflowRuleOf } from './workflows.ts';

const SYMLINK = '120000';

/**
 * Compares checkpoint and base as GitHub has them, not as the agent tells it, and says whether the work may be
 * published.
 */
export async function inspectWork(deps: Deps, { specId }: { specId: string }): Promise<void> {
  const spec = await readSpec(deps.db, specId);
  if (spec?.status !== 'publishing' || spec.hold !== null) return;
  const reach = await reachOf(deps.db, spec.repository_id);
  if (reach.kind !== 'open') return;
  await decidePatiently(deps, {
    specId,
    minutes: deps.timing.pullRetryMinutes,
    ask: () => judge(deps, spec, reach.repo),
    unanswered: (cause) => ({ type: 'publish_failed', cause }),
  });
}

async function judge(deps: Deps, spec: SpecRow, repo: RepoRef): Promise<SpecInput> {
  const head = spec.checkpoint_sha;
  if (head === null) return { type: 'nothing_new' };
  const compared = await compareCommits(deps.github, repo, { base: spec.base_branch!, head });
  if (compared.kind === 'missing') return baseGone(deps, spec, repo);
  const lost = await lostTasks(deps, spec, compared.commits);
  if (lost.length > 0 && compared.complete) {
    return refused(`commits of finished tasks are not in the result: ${lost.join(', ')}.`);
  }
  const [before, after] = await Promise.all([
    readTree(deps.github, repo, { sha: compared.mergeBaseSha, recursive: true }),
    readTree(deps.github, repo, { sha: head, recursive: true }),
  ]);
  if (before.truncated || after.truncated) {
    return refused(
      'the repository has more files than GitHub lists in one answer, so the change cannot be checked.',
    );
  }
  return judgeChange(deps, { spec, repo, compared, before: before.entries, after: after.entries });
}

interface Judged {
  readonly spec: SpecRow;
  readonly repo: RepoRef;
  readonly compared: Comparison;
  readonly before: readonly TreeEntry[];
  readonly after: readonly TreeEntry[];
}

/** First by names, kinds and sizes, then by the lines of what these do not rule out. */
async function judgeChange(deps: Deps, judged: Judged): Promise<SpecInput> {
  const { spec, repo, compared } = judged;
  const [base, head] = [judged.before.map(toGate), judged.after.map(toGate)];
  const symlinkTargets = await linkTargets(deps, repo, judged);
  const verdict = inspectDiff({ base, head, symlinkTargets, rules: await rulesOf(deps, spec) });
  if (verdict.nothingNew) return { type: 'nothing_new' };
  const pairs = pairsOf(base, head).filter(isReadable(verdict.refusals));
  const read = await readChange(deps, repo, { pairs, base, files: compared.files });
  const past = await readHistory(deps, repo, { commits: compared.details, base, head });
  const texts = read.kind === 'read' ? read.texts : [];
  const inLines = await judgeTexts({
    texts,
    messages: compared.details,
    history: past.kind === 'read' ? past.texts : [],
    allow: settingsOf(spec).secretScan,
  });
  const refusals = [
    ...[...verdict.refusals, ...inLines].map(({ reason }) => reason),
    ...(read.kind === 'too_much' ? [read.reason] : []),
    ...(past.kind === 'too_much' ? [past.reason] : []),
  ];
  if (refusals.length > 0) return { type: 'gate_refused', refusals: capped(refusals) };
  return pass(deps, judged, texts);
}

async function pass(deps: Deps, judged: Judged, texts: readonly ChangedText[]): Promise<SpecInput> {
  const { spec, repo, compared, before } = judged;
  const sha = spec.checkpoint_sha!;
  const needsApproval = approvalReason(spec) !== null && !(await isApproved(deps.db, spec.id, sha));
  await keepTemplate(deps, { spec, repo, entries: before });
  await keepReport(deps, spec, { sha, texts, files: needsApproval ? compared.files : null });
  return { type: 'gate_passed', sha, needsApproval };
}

/** Nobody reads more of them, and a row holds them all. */
const MOST_REFUSALS = 100;

function capped(refusals: readonly string[]): string[] {
  const more = refusals.length - MOST_REFUSALS;
  return more > 0 ? [...refusals.slice(0, MOST_REFUSALS), `… and ${more} more.`] : [...refusals];
}

/** What is refused for its name, kind or size is not read as well. */
function isReadable(refusals: readonly { path: string }[]): (pair: Pair) => boolean {
  const refused = new Set(refusals.map(({ path }) => path));
  return ({ path }) => !refused.has(path) && !refused.has('.');
}

async function keepReport(
  deps: Deps,
  spec: SpecRow,
  { sha, texts, files }: { sha: string; texts: readonly ChangedText[]; files: Comparison['files'] | null },
): Promise<void> {
  const report = {
    ...reportOf(sha, { texts, isGenerated: (path) => isGenerated(path, settingsOf(spec)) }),
    // Only where somebody is shown it.
    diff: files === null ? null : shownDiff(files),
  };
  await annotateSpec(deps.db, spec.id, { gate: JSON.stringify(report) });
}

/** GitHub says "not found" of everything in a repository that went where the App can't see: that is no lost branch. */
async function baseGone(deps: Deps, spec: SpecRow, repo: RepoRef): Promise<SpecInput> {
  const found = await readRepository(deps.github, repo);
  if (found.kind === 'missing') throw unseen();
  return refused(`the branch \`${spec.base_branch}\` is gone.`);
}

/** A push can't rewrite what was pushed before without this showing it. */
async function lostTasks(deps: Deps, spec: SpecRow, commits: readonly string[]): Promise<string[]> {
  const known = new Set(commits);
  const tasks = await listTasks(deps.db, spec.id);
  return tasks.filter(({ commit_sha: sha }) => sha !== null && !known.has(sha)).map(({ id }) => id);
}

function refused(reason: string): SpecInput {
  return { type: 'gate_refused', refusals: [reason.charAt(0).toUpperCase() + reason.slice(1)] };
}

function toGate({ path, mode, type, sha, size }: TreeEntry): GateEntry {
  return { path, mode, type: type as GateEntry['type'], sha, ...(size === undefined ? {} : { size }) };
}

async function rulesOf(deps: Deps, spec: SpecRow): Promise<DiffRules> {
  const settings = settingsOf(spec);
  const { limits, protectedPaths, generatedPaths, lockFiles, specFiles } = settings;
  const project = await readProject(deps.db, spec.repository_id);
  return {
    protectedPaths,
    generatedPaths,
    lockFiles,
    workflows: await workflowRuleOf(deps.db, { settings, project }),
    maxFiles: limits.files,
    maxFileBytes: limits.fileBytes,
    maxTotalBytes: limits.totalBytes,
    specFolder: specFiles ? specFolder(spec.id, spec.title) : null,
  };
}

/** Where the head's links point. Only changed ones are asked for; the gate refuses a changed link it does not know. */
async function linkTargets(
  deps: Deps,
  repo: RepoRef,
  trees: { before: readonly TreeEntry[]; after: readonly TreeEntry[] },
): Promise<Record<string, string>> {
  const known = new Map(trees.before.map((entry) => [entry.path, entry.sha]));
  const changed = trees.after.filter(
    (entry) => entry.mode === SYMLINK && known.get(entry.path) !== entry.sha,
  );
  const targets: Record<string, string> = {};
  for (const { path, sha } of changed.slice(0, MOST_LINKS)) {
    targets[path] = (await readBlob(deps.github, repo, sha)).toString('utf8');
  }
  return targets;
}

/** A change with more new links than this is refused by the gate, one by one. */
const MOST_LINKS = 50;

/** The repository's own pull request template, as it is on the base, for the body that is written next. */
async function keepTemplate(
  deps: Deps,
  at: { spec: SpecRow; repo: RepoRef; entries: readonly TreeEntry[] },
): Promise<void> {
  const path = findTemplate(at.entries.filter(({ type }) => type === 'blob').map((entry) => entry.path));
  const entry = at.entries.find((candidate) => candidate.path === path);
  if (!entry) return;
  const text = (await readBlob(deps.github, at.repo, entry.sha)).toString('utf8');
  await annotateSpec(deps.db, at.spec.id, { pull_template: text.replaceAll('\u0000', '') });
}

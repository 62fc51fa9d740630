import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { WORK_BRANCH } from '../clone.ts';
import type { RunnerContext } from '../context.ts';
import { git, gitOutput } from '../git.ts';
import type { Step, StepResult } from '../protocol.ts';

type CommitStep = Extract<Step, { kind: 'commit' }>;

/**
 * Makes one commit of everything in the work tree on top of the last one of ours; commits of the agent's own are
 * folded into it, so that a task is one commit. It is built from plumbing (`write-tree`, `commit-tree`): no hook,
 * signature, template, half-done merge or configuration of the agent's has a say in it.
 */
export async function runCommitStep(runner: RunnerContext, step: CommitStep): Promise<StepResult> {
  const { base } = runner.position;
  const { stepId, author } = step;
  // An agent that was killed in the middle of a git command leaves the lock behind.
  rmSync(join(runner.config.workspace, '.git', 'index.lock'), { force: true });
  await stageAll(runner, step);
  const tree = await gitOutput(runner, { args: ['write-tree', '--missing-ok'], stepId });
  const empty = tree === (await gitOutput(runner, { args: ['rev-parse', `${base}^{tree}`], stepId }));
  const sha = empty
    ? base
    : await gitOutput(runner, {
        args: ['commit-tree', tree, '-p', base, '-F', '-'],
        stdin: step.message,
        author,
        stepId,
      });
  await gitOutput(runner, { args: ['symbolic-ref', 'HEAD', `refs/heads/${WORK_BRANCH}`], stepId });
  await gitOutput(runner, { args: ['update-ref', `refs/heads/${WORK_BRANCH}`, sha], stepId });
  runner.position.base = sha;
  return { kind: 'commit', sha, empty };
}

async function stageAll(runner: RunnerContext, step: CommitStep): Promise<void> {
  const { stepId } = step;
  const { workspace } = runner.config;
  for (const file of step.files) writeOwnFile(workspace, file.path, file.content);
  const added = await git(runner, { args: ['add', '--all'], stepId });
  if (added.code !== 0) {
    // A damaged index is rebuilt from the last commit; the work tree is what counts.
    rmSync(join(workspace, '.git', 'index'), { force: true });
    await gitOutput(runner, { args: ['read-tree', runner.position.base], stepId });
    await gitOutput(runner, { args: ['add', '--all'], stepId });
  }
  if (step.files.length === 0) return;
  // Ours go in even where the repository ignores their folder.
  const paths = step.files.map((file) => `:(literal)${file.path}`);
  await gitOutput(runner, { args: ['add', '--force', '--', ...paths], stepId });
}

/** Writes a file of ours and follows no link that the agent may have laid on its way. @throws Error */
function writeOwnFile(workspace: string, path: string, content: string): void {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')) {
    throw new Error('a file of the commit lies outside the work tree');
  }
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const step = join(workspace, parts.slice(0, depth).join(sep));
    const found = lstatSync(step, { throwIfNoEntry: false });
    const expected = depth < parts.length ? found?.isDirectory() : found?.isFile();
    if (found && !expected) rmSync(step, { recursive: true, force: true });
  }
  const target = join(workspace, ...parts);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
}

import { crashPoint } from '../../../crash-point.ts';
import { annotateSpec, type SpecRow } from '../../../db/specs.ts';
import { RetryableError } from '../../../errors.ts';
import { createRef, readRef } from '../../../github/refs.ts';
import { branchName, fallbackBranchName } from '../../branches/name.ts';
import type { Deps } from '../../deps.ts';
import { isLive, type Status } from '../../spec/states.ts';
import type { Published, Publishing } from '../publisher.ts';
import { requireSpec } from '../require-spec.ts';

const MOST_COLLISIONS = 5;

/**
 * Creates the spec's branch at the base. The name is recorded before the call, so an attempt whose answer was lost
 * finds its own branch again; a name that somebody else uses gets a suffix.
 */
export async function createBranch(deps: Deps, publishing: Publishing): Promise<Published> {
  const spec = requireSpec(publishing);
  if (isOver(spec)) return { kind: 'done', externalId: 'not needed: the spec is over' };
  const { repo } = publishing;
  const sha = spec.base_sha!;
  let folderTaken = false;
  for (const name of candidates(spec.id, spec.title, spec.branch_name)) {
    if (folderTaken && name.startsWith('spec/')) continue;
    const ours = publishing.triedBefore && spec.branch_name === name;
    if (!ours) await annotateSpec(deps.db, spec.id, { branch_name: name });
    const made = await createRef(deps.github, repo, { ref: `heads/${name}`, sha });
    crashPoint('branch.made');
    if (made.kind === 'created') return done(name, sha);
    if (made.kind === 'exists') {
      const there = await readRef(deps.github, repo, `heads/${name}`);
      if (ours && there.kind === 'found') return done(name, there.sha);
      // Refused as there and not to be seen: another name would leave this one behind.
      if (there.kind === 'missing')
        throw new RetryableError(`the branch ${name} exists and is not to be seen`);
      continue;
    }
    if (!isNameClash(made.message)) return refused(made.message);
    folderTaken = true;
  }
  return refused('every name for the branch is taken');
}

/** The recorded name first, then the usual one with suffixes, then one that lives beside a branch named "spec". */
function candidates(id: string, title: string, recorded: string | null): string[] {
  const names = Array.from({ length: MOST_COLLISIONS }, (_, n) =>
    branchName(id, title, n === 0 ? {} : { avoid: n + 1 }),
  );
  const all = [...(recorded ? [recorded] : []), ...names, fallbackBranchName(id, title)];
  return [...new Set(all)];
}

/** Git can't hold `spec/x` beside a branch `spec`; what a rule forbids, no other name mends. */
function isNameClash(message: string): boolean {
  if (/rule violations|restricted/i.test(message)) return false;
  return /already exists|reference update failed|cannot lock|could not be created|conflict/i.test(message);
}

/** A failed spec can be tried again and then needs its branch; the others are done with it. */
function isOver({ status }: SpecRow): boolean {
  return !isLive(status as Status) && status !== 'failed';
}

function done(name: string, sha: string): Published {
  return { kind: 'done', externalId: name, input: { type: 'branch_created', name, sha } };
}

function refused(message: string): Published {
  return { kind: 'refused', cause: `GitHub refused to create the branch: ${message}`, again: true };
}

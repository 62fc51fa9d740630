import { createHash, randomUUID } from 'node:crypto';
import { insertPush, listUnclearPushes, settlePush } from '../../db/pushes.ts';
import { findOpenRun } from '../../db/runs.ts';
import { readSandbox } from '../../db/sandboxes.ts';
import { annotateSpec, lockSpec, readSpec } from '../../db/specs.ts';
import type { Trx } from '../../db/types.ts';
import { RetryableError } from '../../errors.ts';
import type { EventAck, EventBatch, NextStep, Step, StepResult } from '../../runner/protocol.ts';
import { checkpointRef } from '../branches/name.ts';
import type { Deps } from '../deps.ts';
import { reachOf } from '../effects/target.ts';
import { mayReach, noteRefused, type Refused } from '../egress/judge.ts';
import { ingestEvents } from '../events/ingest.ts';
import { createModelCalls } from '../models/calls.ts';
import { readCheckpoint } from '../sandboxes/checkpoint.ts';
import type { GitTokens } from '../sandboxes/git-tokens.ts';
import { mayChangeWorkflows } from '../spec/work.ts';
import { type Asking, nextStep } from './next.ts';
import { type Taken, takeResult } from './result.ts';

type Caller = { readonly sandboxId: string } | { readonly bearer: string };

type Identification =
  | { readonly kind: 'ok'; readonly identity: Asking }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'stale' };

/** What the gateway asks of the rest of the app. */
export function createBackend(deps: Deps, gitTokens: GitTokens) {
  return {
    identify: (by: Caller, generation: number): Promise<Identification> => identify(deps, by, generation),
    nextStep: (asking: Asking): Promise<NextStep> => nextStep(deps, asking),
    async stepResult(asking: Asking, stepId: string, result: StepResult): Promise<Taken> {
      if (result.kind === 'push') await clearUp(deps, asking);
      return takeResult(deps, asking, { stepId, result });
    },
    ingest: (asking: Asking, batch: EventBatch): Promise<EventAck> => ingestEvents(deps.db, asking, batch),
    git: createGitBackend(deps, gitTokens),
    models: createModelCalls(deps),
    egress: {
      async judge({ specId }: Asking, target: { host: string; port: number }) {
        if (await mayReach(deps, { specId, ...target })) {
          return { allowed: true, trusted: deps.egress.trusted.includes(target.host) } as const;
        }
        await noteRefused(deps, { specId, ...target }, 'not_allowed');
        return { allowed: false } as const;
      },
      noteRefused: ({ specId }: Asking, target: { host: string; port: number }, why: Refused) =>
        noteRefused(deps, { specId, ...target }, why),
    },
  };
}

/** A push whose answer was lost may have arrived: GitHub is asked before the runner's word is taken. */
async function clearUp(deps: Deps, asking: Asking): Promise<void> {
  if ((await listUnclearPushes(deps.db, asking.specId)).length === 0) return;
  const spec = await readSpec(deps.db, asking.specId);
  const reach = spec && (await reachOf(deps.db, spec.repository_id));
  if (reach?.kind !== 'open') throw new RetryableError('the repository is out of reach');
  await readCheckpoint(deps, { specId: asking.specId, repo: reach.repo });
}

async function identify(deps: Deps, by: Caller, generation: number): Promise<Identification> {
  const row = await deps.gateway.callerOf(
    'sandboxId' in by
      ? { id: by.sandboxId }
      : { bearerHash: createHash('sha256').update(by.bearer).digest('hex') },
  );
  if (!row) return { kind: 'unknown' };
  const live = row.state === 'requested' || row.state === 'running';
  if (!live || row.generation !== generation || row.current !== generation) return { kind: 'stale' };
  return { kind: 'ok', identity: { sandboxId: row.id, specId: row.spec_id, generation } };
}

function createGitBackend(deps: Deps, gitTokens: GitTokens) {
  const targetOf = async (asking: Asking) => {
    const spec = await readSpec(deps.db, asking.specId);
    const reach = spec && (await reachOf(deps.db, spec.repository_id));
    if (!spec || reach?.kind !== 'open') throw new RetryableError('the repository is out of reach');
    return { spec, repo: reach.repo };
  };
  return {
    async repositoryFor(asking: Asking) {
      const { spec, repo } = await targetOf(asking);
      const sandbox = await readSandbox(deps.db, asking.sandboxId);
      return {
        gitUrl: deps.github.gitUrl(repo),
        fullName: sandbox?.repository ?? '',
        checkpointRef: checkpointRef(spec.id),
        recordedSha: spec.checkpoint_sha,
      };
    },
    async authorization(asking: Asking, access: 'read' | 'write', refused = false) {
      const { spec, repo } = await targetOf(asking);
      const wanted = access === 'write' && (await mayChangeWorkflows(deps.db, spec)) ? 'workflows' : access;
      const token = await gitTokens.tokenFor(asking.sandboxId, repo, { access: wanted, refused });
      return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
    },
    intend: (asking: Asking, push: { ref: string; oldSha: string; newSha: string }) =>
      deps.db.transaction((trx) => intend(trx, asking, push)),
    async settle(id: string, state: 'accepted' | 'refused' | 'unknown') {
      const push = await settlePush(deps.db, id, state);
      if (push && state === 'accepted') {
        await annotateSpec(deps.db, push.spec_id, { checkpoint_sha: push.new_sha });
      }
    },
  };
}

/**
 * Records a push before it is forwarded. Under the spec's lock: once a sandbox is fenced off no push of it begins, and
 * one that had begun can be seen.
 */
async function intend(
  trx: Trx,
  asking: Asking,
  push: { ref: string; oldSha: string; newSha: string },
): Promise<{ id: string } | { refused: string }> {
  const spec = await lockSpec(trx, asking.specId);
  if (spec?.generation !== asking.generation) return { refused: 'another sandbox has taken over' };
  const open = await findOpenRun(trx, asking.specId);
  const step = open?.request as Step | undefined;
  if (step?.kind !== 'push' || step.sha !== push.newSha || open?.sandbox_id !== asking.sandboxId) {
    return { refused: 'only the runner pushes, and only the commit it was told to push' };
  }
  const id = randomUUID();
  await insertPush(trx, {
    id,
    spec_id: asking.specId,
    sandbox_id: asking.sandboxId,
    ref: push.ref,
    old_sha: push.oldSha,
    new_sha: push.newSha,
  });
  return { id };
}

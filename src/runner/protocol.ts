/**
 * What the runner and the gateway say to each other: JSON over HTTP on the sandbox's own socket, or with a bearer
 * over the public URL. Every request carries the sandbox's generation in `x-sandbox-generation`; an older
 * generation is answered 410 and the runner stops.
 *
 *   POST {gateway}/steps/next            {}                     → 200 NextStep
 *   POST {gateway}/steps/{stepId}/result StepResult             → 200 {} (again: 200 {}); 409 when it is not the open step
 *   POST {gateway}/events                EventBatch             → 200 EventAck
 *   ANY  {gateway}/git/{owner}/{repo}.git/...                   → git smart HTTP
 */
import { z } from 'zod';
import { LIMITS } from './limits.ts';

export { LIMITS };

const stepBase = {
  stepId: z.uuid(),
  generation: z.int().positive(),
  /** The value of SPEC_PHASE while this step runs. */
  phase: z.string(),
  timeoutMs: z.int().positive(),
};

export const stepSchema = z.discriminatedUnion('kind', [
  z.object({
    ...stepBase,
    kind: z.literal('agent'),
    driver: z.string(),
    subject: z.string(),
    attempt: z.int().positive(),
    prompt: z.string(),
    outputSchema: z.unknown(),
    /** Null where no model is at work; the runner knows where the gateway answers for it. */
    model: z
      .object({ api: z.enum(['anthropic', 'openai', 'bedrock', 'vertex']), name: z.string().nullable() })
      .nullable()
      .optional(),
    /** Answers of the model after which the run ends. */
    maxTurns: z.int().positive().nullable().optional(),
    /** The repository's own agent program, run by a shell. */
    command: z.string().nullable().optional(),
    /** Throw away what an earlier attempt left in the work tree. */
    resetFirst: z.boolean(),
  }),
  z.object({ ...stepBase, kind: z.literal('command'), argv: z.array(z.string()).min(1) }),
  z.object({
    ...stepBase,
    kind: z.literal('commit'),
    message: z.string(),
    author: z.object({ name: z.string(), email: z.string() }),
    /** Files that we write ourselves before the commit, relative to the work tree. */
    files: z.array(z.object({ path: z.string(), content: z.string() })),
  }),
  z.object({
    ...stepBase,
    kind: z.literal('push'),
    ref: z.string(),
    /** What to push; the runner's HEAD has to be this. */
    sha: z.string(),
  }),
]);
export type Step = z.infer<typeof stepSchema>;

/** `wait`: nothing to do now, ask again after so many milliseconds. `stop`: the work of this sandbox is over. */
export const nextStepSchema = z.discriminatedUnion('next', [
  z.object({ next: z.literal('step'), step: stepSchema }),
  z.object({ next: z.literal('wait'), waitMs: z.int().positive() }),
  z.object({ next: z.literal('stop'), reason: z.string() }),
]);
export type NextStep = z.infer<typeof nextStepSchema>;

export const stepResultSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('agent'),
    outcome: z.enum(['done', 'failed']),
    output: z.unknown(),
    reason: z.string().nullable(),
    /** Of a failure: the agent's work, the model's API, or a bound of ours. */
    why: z.enum(['work', 'model', 'limit']).optional(),
  }),
  z.object({
    kind: z.literal('command'),
    code: z.int(),
    timedOut: z.boolean(),
    outputTail: z.string(),
  }),
  z.object({
    kind: z.literal('commit'),
    /** HEAD after the step. */
    sha: z.string(),
    /** True when there was nothing to commit and HEAD did not move. */
    empty: z.boolean(),
  }),
  z.object({ kind: z.literal('push'), outcome: z.enum(['pushed', 'refused']), message: z.string() }),
  /** The runner itself could not do the step (a missing program, a full disk). */
  z.object({ kind: z.literal('broken'), reason: z.string() }),
]);
export type StepResult = z.infer<typeof stepResultSchema>;

export const runEventSchema = z.object({
  /** 1, 2, 3 … within one generation, without gaps. */
  seq: z.int().positive(),
  /** The runner's wall clock, ISO 8601. */
  at: z.iso.datetime(),
  type: z.enum([
    'runner.started',
    'runner.stopped',
    'heartbeat',
    'command.started',
    'command.ended',
    'clone.done',
    'agent.session',
    'agent.text',
    'agent.tool',
    'agent.usage',
    'agent.retry',
    'agent.error',
    'message.received',
  ]),
  stepId: z.uuid().nullable(),
  data: z.record(z.string(), z.unknown()),
});
export type RunEvent = z.infer<typeof runEventSchema>;

export const eventBatchSchema = z.object({ events: z.array(runEventSchema).max(LIMITS.batchEvents) });
export type EventBatch = z.infer<typeof eventBatchSchema>;

/** `acked`: the highest sequence number stored without a gap. Messages are repeated until a `message.received` names them. */
export const eventAckSchema = z.object({
  acked: z.int().nonnegative(),
  messages: z.array(z.object({ id: z.uuid(), kind: z.enum(['message', 'interrupt']), text: z.string() })),
});
export type EventAck = z.infer<typeof eventAckSchema>;

/**
 * How the runner is started: one JSON file at {tools}/runner.json. It holds no secret where the sandbox has a
 * gateway socket; elsewhere `bearer` is valid for this run alone.
 */
export const runnerConfigSchema = z.object({
  gateway: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('socket'), path: z.string() }),
    z.object({ kind: z.literal('url'), url: z.url(), bearer: z.string() }),
  ]),
  sandboxId: z.uuid(),
  generation: z.int().positive(),
  /** GITHUB_REPO, "owner/name". */
  repository: z.string(),
  /** What to check out: the checkpoint, or the base where there is none. */
  startSha: z.string(),
  /** The branch or ref that holds `startSha`. */
  startRef: z.string(),
  workspace: z.string(),
  home: z.string(),
  tools: z.string(),
  node: z.string(),
  /** A folder with the programs of agents on the search path of agent runs. */
  agents: z.string().nullable().optional(),
  heartbeatMs: z.int().positive(),
  /** The documented environment of a run, without SPEC_PHASE and GATEWAY_URL, which the runner adds. */
  environment: z.record(z.string(), z.string()),
});
export type RunnerConfig = z.infer<typeof runnerConfigSchema>;

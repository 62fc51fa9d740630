import type { EventAck, EventBatch, NextStep, StepResult } from '../../runner/protocol.ts';

/** Where the gateway stands on the public server. On a sandbox's own socket it is the root. */
export const GATEWAY_PREFIX = '/gateway';

export interface SandboxIdentity {
  readonly sandboxId: string;
  readonly specId: string;
  readonly generation: number;
}

/** Who calls: known by the socket the call came through, or by the run's bearer. */
export type Caller = { readonly sandboxId: string } | { readonly bearer: string };

export type Identification =
  | { readonly kind: 'ok'; readonly identity: SandboxIdentity }
  | { readonly kind: 'unknown' }
  /** The generation is not the spec's current one, or the spec is over: the sandbox has to stop. */
  | { readonly kind: 'stale' };

export interface GitTarget {
  /** Of the repository at its host, "https://github.com/acme/shop.git". Holds no credential. */
  readonly gitUrl: string;
  /** The name under which the sandbox knows it (GITHUB_REPO at its start), "acme/shop". */
  readonly fullName: string;
  /** The only ref that may be pushed to. */
  readonly checkpointRef: string;
  /** Where that ref stands as far as we know; null when it does not exist. */
  readonly recordedSha: string | null;
}

/** `refused`: the host said no. `unknown`: nobody knows whether the push arrived; ask the host before the next one. */
export type PushEnd = 'accepted' | 'refused' | 'unknown';

export interface PushIntent {
  readonly ref: string;
  /** 40 or 64 zeros when the ref is created. */
  readonly oldSha: string;
  readonly newSha: string;
}

export interface GitBackend {
  repositoryFor(identity: SandboxIdentity): Promise<GitTarget>;
  /** Value of the Authorization header for the host; `refused`: the last one was. @throws RetryableError */
  authorization(identity: SandboxIdentity, access: 'read' | 'write', refused?: boolean): Promise<string>;
  /**
   * Records a push before it is forwarded, committed when it resolves. The place to check that the open step is a
   * push of this very commit, so that an agent can't move the checkpoint itself.
   */
  intend(identity: SandboxIdentity, push: PushIntent): Promise<{ id: string } | { refused: string }>;
  /** Called once for each intent, before the sandbox hears the outcome. */
  settle(id: string, state: PushEnd): Promise<void>;
}

/** What the gateway needs of the rest of the app. */
export interface GatewayBackend {
  identify(by: Caller, generation: number): Promise<Identification>;
  nextStep(identity: SandboxIdentity): Promise<NextStep>;
  stepResult(
    identity: SandboxIdentity,
    stepId: string,
    result: StepResult,
  ): Promise<'accepted' | 'already' | 'not_open'>;
  /** Resolves when the events are committed. */
  ingest(identity: SandboxIdentity, batch: EventBatch): Promise<EventAck>;
  readonly git: GitBackend;
}

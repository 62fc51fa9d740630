import type { ModelApi } from '../../agent/driver.ts';
import type { EventAck, EventBatch, NextStep, StepResult } from '../../runner/protocol.ts';
import type { Usage } from '../../services/models/usage.ts';

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

/** Where calls to models go, and with what credential. */
export interface ModelTarget {
  /** Without a slash at its end: "https://api.anthropic.com". */
  readonly baseUrl: string;
  /** The path as the provider knows it. */
  pathOf(path: string): string;
  /** The headers that stand for the credential, signed over the request where the provider wants that. */
  authorize(request: {
    readonly method: string;
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: Buffer;
  }): Promise<Readonly<Record<string, string>>>;
}

export interface BilledCall {
  readonly api: ModelApi;
  readonly model: string;
  readonly inputBytes: number;
  /** As the request allows; null where it names no bound. */
  readonly maxOutputTokens: number | null;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

export type OpenedCall =
  | { readonly kind: 'open'; readonly id: string; readonly target: ModelTarget }
  /** `text` says what happened and what to do. */
  | { readonly kind: 'refused'; readonly why: 'budget' | 'credential'; readonly text: string };

/** How a call came out. */
export interface CallEnd {
  /** The provider's status; null where no answer came. */
  readonly status: number | null;
  readonly usage: Usage;
  /** False where the reply did not say what it came to. */
  readonly reported: boolean;
  readonly replyBytes: number;
  readonly trouble: 'quota' | 'overload' | 'credential' | null;
  /** Seconds after which the provider may be asked again, where it said so. */
  readonly retryAfter: number | null;
}

export interface ModelBackend {
  /** For calls that cost nothing. */
  targetFor(identity: SandboxIdentity, api: ModelApi): Promise<OpenedCall>;
  /** Reserves what the call may cost; waits while other calls have the rest of a budget reserved. */
  open(identity: SandboxIdentity, call: BilledCall): Promise<OpenedCall>;
  /** Called once for each opened call; never throws. */
  settle(id: string, end: CallEnd): Promise<void>;
}

export interface EgressTarget {
  /** A name or an address, in lower case and without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface EgressBackend {
  /** A refusal is counted. `trusted`: the operator says that the host may be in a network of theirs. */
  judge(
    identity: SandboxIdentity,
    target: EgressTarget,
  ): Promise<{ readonly allowed: false } | { readonly allowed: true; readonly trusted: boolean }>;
  /** Counts an allowed host that leads nowhere. */
  noteRefused(
    identity: SandboxIdentity,
    target: EgressTarget,
    why: 'private_address' | 'no_such_host',
  ): Promise<void>;
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
  readonly models: ModelBackend;
  readonly egress: EgressBackend;
}

import type { Json, Permissions } from './state.ts';

export type ActorRecord =
  | { kind: 'anonymous' }
  | { kind: 'app'; appId: number }
  | { kind: 'installation'; appId: number; installationId: number }
  | { kind: 'user'; login: string };

/** One request, in the order of arrival. `status` is null until it is answered (or for good, where the connection was cut). */
export interface RequestRecord {
  readonly kind: 'rest' | 'git' | 'graphql';
  /** Epoch milliseconds of arrival. */
  readonly at: number;
  readonly method: string;
  /** `POST /repos/{owner}/{repo}/issues/{issue_number}/comments`; the plain path where no route matched. */
  readonly route: string;
  readonly path: string;
  readonly actor: ActorRecord;
  status: number | null;
}

/** One installation token that was ever minted; `secret` finds it again where it must not be. */
export interface MintRecord {
  readonly secret: string;
  readonly permissions: Permissions;
  /** Names of the permissions that the request named; null for all that the installation has. */
  readonly asked: readonly string[] | null;
  readonly mintedAt: Date;
}

/** What to do to a request: answer at once without doing it; do it and then lose or change the answer; or wait first. */
export type Fault =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | { before: 'reset' }
  | { after: 'reset' | number; body?: unknown }
  | { delayMs: number };

export type DeliveryOutcome = 'queued' | 'sent' | 'delivered' | 'failed' | 'dropped' | 'unsent';

/** One attempt to deliver a webhook. */
export interface DeliveryRecord {
  readonly id: number;
  readonly guid: string;
  readonly appId: number;
  readonly installationId: number | null;
  readonly repositoryId: number | null;
  readonly event: string;
  readonly action: string | null;
  readonly payload: Json;
  readonly redelivery: boolean;
  /** Epoch milliseconds, with fractions, just before the socket write; 0 while not sent. */
  sentAt: number;
  /** The receiver's answer; null for none. */
  status: number | null;
  durationMs: number;
  /** `unsent`: the App had no webhook address at that time. */
  outcome: DeliveryOutcome;
}

export type SendDecision = 'send' | 'drop' | 'duplicate' | { delayMs: number };

/** Switches that tests may set at any time. */
export interface EmulatorHooks {
  /** Called for each REST, GraphQL and git request once its actor is known, before anything is done. */
  onRequest?: ((record: RequestRecord) => Fault | null | undefined) | undefined;
  /** Called for each delivery just before it is sent. */
  beforeSend?: ((delivery: DeliveryRecord) => SendDecision) | undefined;
  /** Which of the two webhooks of one merge leaves first. */
  mergeOrder: 'pull_request_first' | 'issues_first';
}

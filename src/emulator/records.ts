import type { Reply } from './reply.ts';
import type { Json, Permissions } from './state.ts';
import type { PrimaryLimits, SecondaryLimits } from './usage.ts';

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

/** A request that was done, whatever a fault makes of its answer afterwards. */
export interface Exchange {
  readonly record: RequestRecord;
  /** The JSON that came with it: empty for none, undefined where it was not read. */
  readonly sent: Json | undefined;
  readonly reply: Reply;
}

/** One installation token that was ever minted; `secret` finds it again where it must not be. */
export interface MintRecord {
  readonly secret: string;
  readonly permissions: Permissions;
  /** Names of the permissions that the request named; null for all that the installation has. */
  readonly asked: readonly string[] | null;
  readonly mintedAt: Date;
}

/**
 * What to do to a request: answer at once without doing it; do it and then lose, halve or change the answer; or wait
 * first. A text as `body` is sent as it is: as a page where it begins with `<`, as (broken) JSON otherwise.
 */
export type Fault =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | { redirect: string; status?: 301 | 302 | 307 | 308 }
  | { before: 'reset' }
  /** `half`: the headers and half of the true answer, then the connection is cut. */
  | {
      after: 'reset' | 'half' | number;
      body?: unknown;
      headers?: Record<string, string>;
      /** Silence between the deed and what follows, milliseconds. */
      lateMs?: number;
    }
  | { delayMs: number; next?: Fault };

/** A fault for the requests of one route. */
export interface FaultRule {
  /** As the request log names it, `POST /repos/{owner}/{repo}/git/refs`, or a pattern of that. */
  readonly route: string | RegExp;
  readonly fault: Fault;
  /** How often it strikes; once when unset. */
  readonly times?: number;
  /** How many requests it lets pass first; none when unset. */
  readonly after?: number;
  /** How many requests of the route there were while the rule was in force; counted by the emulator. */
  seen?: number;
  /** How often it struck; counted by the emulator. */
  struck?: number;
}

/**
 * `dropped`: never sent, and GitHub knows. `lost`: never arrived, and GitHub believes that it did. `unsent`: the App had
 * no webhook address at that time.
 */
export type DeliveryOutcome = 'queued' | 'sent' | 'delivered' | 'failed' | 'dropped' | 'lost' | 'unsent';

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
  /** When it was put into the queue, by the emulator's clock. */
  readonly queuedAt: Date;
  /** When it was made to wait, by the emulator's clock; null for never. */
  throttledAt: Date | null;
  /** Epoch milliseconds, with fractions, just before the socket write; 0 while not sent. */
  sentAt: number;
  /** The receiver's answer; null for none. */
  status: number | null;
  durationMs: number;
  requestHeaders: Readonly<Record<string, string>>;
  responseHeaders: Readonly<Record<string, string>>;
  outcome: DeliveryOutcome;
}

/** `drop` and `lose`: as their outcomes. `holdBack`: lets that many later deliveries of the App pass first, but waits for them no longer than `atMostMs` (100 when unset). */
export type SendDecision =
  | 'send'
  | 'drop'
  | 'lose'
  | 'duplicate'
  | { delayMs: number }
  | { holdBack: number; atMostMs?: number };

/** Switches that tests may set at any time. */
export interface EmulatorHooks {
  /** Called for each REST, GraphQL and git request once its actor is known, before anything is done. */
  onRequest?: ((record: RequestRecord) => Fault | null | undefined) | undefined;
  /** Faults by route, for requests that `onRequest` leaves alone; the first rule that is not used up strikes. */
  faults?: readonly FaultRule[] | undefined;
  /** Called with each request that was done and its true answer. */
  onExchange?: ((exchange: Exchange) => void) | undefined;
  /** Called for each delivery just before it is sent. */
  beforeSend?: ((delivery: DeliveryRecord) => SendDecision) | undefined;
  /** Which of the two webhooks of one merge leaves first. */
  mergeOrder: 'pull_request_first' | 'issues_first';
  /** Requests an hour; GitHub's own at first. An hour passes by the emulator's clock. */
  limits: PrimaryLimits;
  /** Limits of bursts; none at first. */
  secondaryLimits: SecondaryLimits | null;
  /** How long, by the emulator's clock, a pull request's `mergeable` stays null after its first GET; 0 (at first) for that one answer only, null for known at once. */
  mergeableAfterMs: number | null;
  /** How long, by the emulator's clock, a fresh installation token is refused and with which status, as replicas of GitHub do that have not heard of it. */
  freshTokens: { refusedForMs: number; status: 401 | 403 };
}

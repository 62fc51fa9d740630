import type { Clock } from '../clock.ts';
import type { GatewayStore } from '../db/gateway-store.ts';
import type { Db, Trx } from '../db/types.ts';
import type { GitHub } from '../github/client.ts';
import type { Logger } from '../log.ts';
import type { SandboxFile, SandboxProvider } from '../sandbox/provider.ts';
import type { Agents } from './agents/choose.ts';
import type { Credentials } from './credentials/resolve.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { PriceTable } from './models/prices.ts';

/** Intervals that operators may change. */
export interface Timing {
  readonly statusIntervalSeconds: number;
  readonly heartbeatTimeoutSeconds: number;
  readonly heartbeatMs: number;
  readonly pullRetryMinutes: number;
  readonly branchGraceDays: number;
  readonly gatherTimeoutMs: number;
  readonly sweepSeconds: number;
}

/** What calls to models cost, and what a deployment lets an installation have of them. */
export interface ModelTerms {
  readonly prices: PriceTable;
  readonly installationDayUsd: number;
  readonly specsAtOnce: number;
}

/** The sandbox provider as it was probed at start. */
export type SandboxChoice =
  | { readonly kind: 'ready'; readonly provider: SandboxProvider; readonly isolated: boolean }
  | { readonly kind: 'none'; readonly reason: string; readonly fix: string }
  /** This process runs no sandboxes; workers do. */
  | { readonly kind: 'elsewhere' };

/** Serves the gateway to one sandbox on a Unix socket; identity comes from the socket. */
export type ServeGateway = (socketPath: string, sandboxId: string) => Promise<{ close(): Promise<void> }>;

/** What every service is handed. Only `src/deps.ts` constructs it. */
export interface Deps {
  readonly db: Db;
  /** The gateway's own statements. */
  readonly gateway: GatewayStore;
  readonly jobs: Jobs;
  readonly github: GitHub;
  readonly credentials: Credentials;
  readonly models: ModelTerms;
  readonly egress: {
    /** Hosts that may be in a network of the operator's, where settings allow them. */
    readonly trusted: readonly string[];
  };
  readonly clock: Clock;
  readonly log: Logger;
  readonly timing: Timing;
  readonly agents: Agents;
  readonly sandboxes: SandboxChoice;
  readonly runnerFiles: readonly SandboxFile[];
  readonly serveGateway: ServeGateway;
  /** This process, as the owner of local sandboxes. */
  readonly workerId: string;
  readonly publicUrl: string | null;
}

/** One open transaction and why it is open. */
export interface Unit {
  readonly trx: Trx;
  /** GUID of the delivery that is being handled, if any. */
  readonly delivery: string | null;
}

import type { Clock } from '../clock.ts';
import type { Db, Trx } from '../db/types.ts';
import type { GitHub } from '../github/client.ts';
import type { Logger } from '../log.ts';
import type { SandboxFile, SandboxProvider } from '../sandbox/provider.ts';
import type { Jobs } from './jobs/jobs.ts';

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

/** The coding agent of this deployment, or why there is none. */
export type AgentChoice =
  | {
      readonly kind: 'ready';
      readonly driver: string;
      /** True where a script and not a model is at work, which users are told. */
      readonly scripted: boolean;
      readonly files: readonly SandboxFile[];
    }
  | { readonly kind: 'none'; readonly reason: string };

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
  readonly jobs: Jobs;
  readonly github: GitHub;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timing: Timing;
  readonly agent: AgentChoice;
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

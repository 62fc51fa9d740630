import type { RunEvent, RunnerConfig } from './protocol.ts';

/** Puts one event into the queue of the reporter; `stepId` is null between steps. */
export type Emit = (type: RunEvent['type'], data: RunEvent['data'], stepId?: string | null) => void;

/** Why the runner ends, and with which exit code. */
export interface StopReason {
  readonly reason: string;
  readonly code: number;
}

/** What every part of a running runner needs. */
export interface RunnerContext {
  readonly config: RunnerConfig;
  /** The gateway for this process and its children: http://127.0.0.1:{port}. */
  readonly gatewayUrl: string;
  readonly emit: Emit;
  /** Fires when the runner has to stop; whoever runs a child kills it. */
  readonly stopped: AbortSignal;
  /** Where the next commit starts: the start, then each commit that a commit step made. */
  readonly position: { base: string };
}

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { AgentEvent, FailureKind } from '../../agent/driver.ts';
import { LIMITS } from '../limits.ts';
import type { RunEvent } from '../protocol.ts';

const STDERR_TAIL = 4_000;

/** What is kept of a run while it goes on: little, whatever the agent prints. */
export interface Progress {
  stdoutLength: number;
  /** Why the runner ended the agent itself, or null. */
  ended: { readonly reason: string; readonly why: FailureKind } | null;
  note(event: AgentEvent): void;
  noteStderr(text: string): void;
  /** The newest event of each type, oldest first. */
  newest(): AgentEvent[];
  stderrTail(): string;
}

/** Starts an empty record; `emit` tells the app what is for its eyes. */
export function createProgress(emit: (type: RunEvent['type'], data: RunEvent['data']) => void): Progress {
  const newest = new Map<AgentEvent['type'], AgentEvent>();
  let stderr = '';
  return {
    stdoutLength: 0,
    ended: null,
    note(event) {
      newest.delete(event.type);
      newest.set(event.type, event);
      // The answer and the end travel in the step's result, not twice.
      if (event.type === 'output' || event.type === 'end') return;
      const { type, ...data } = event;
      emit(`agent.${type}`, data);
    },
    noteStderr(text) {
      stderr = (stderr + text).slice(-STDERR_TAIL);
    },
    newest: () => [...newest.values()],
    stderrTail: () => stderr,
  };
}

/**
 * The text of a file that the agent may have written; null where there is none, where it is larger than a result may
 * be, or where it is anything but an ordinary file: a pipe would hold the runner up for ever.
 */
export function readOutputFile(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const info = fstatSync(fd);
    return info.isFile() && info.size <= LIMITS.resultBytes ? readFileSync(fd, 'utf8') : null;
  } finally {
    closeSync(fd);
  }
}

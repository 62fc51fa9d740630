import type { AgentOutcome } from './driver.ts';

type Failed = Extract<AgentOutcome, { kind: 'failed' }>;

/** The step's time was over before the agent was. */
export function timeIsUp(agent: string): Failed {
  return { kind: 'failed', why: 'limit', reason: `${agent} ran out of the time that one step may take` };
}

/** An answer by a schema was asked for, and none came. */
export function noAnswer(agent: string): Failed {
  return {
    kind: 'failed',
    why: 'work',
    reason: `${agent} ended without the structured answer it was asked for`,
  };
}

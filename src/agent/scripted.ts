import type { AgentDriver, AgentEvent, AgentExit, AgentOutcome, AgentTask } from './driver.ts';
import { timeIsUp } from './endings.ts';

/** Name of the file in `scratch` that tells the program its piece of work. */
const TASK_FILE = 'task.json';

/**
 * Plays a script from {tools}/script.json with our own program: no model is at work. For the demo, for tests and for
 * trying an installation out.
 */
export const scriptedDriver: AgentDriver = {
  name: 'scripted',
  cli: null,
  buildCommand: (task) => ({
    argv: [
      task.node,
      `${task.tools}/scripted-agent.mjs`,
      `${task.tools}/script.json`,
      `${task.scratch}/${TASK_FILE}`,
    ],
    env: {},
    files: { [TASK_FILE]: JSON.stringify(workOf(task)) },
    stdin: null,
    outputFile: null,
  }),
  parseLine,
  judge,
};

function workOf(task: AgentTask): { subject: string; attempt: number; workspace: string } {
  return { subject: task.subject, attempt: task.attempt, workspace: task.workspace };
}

function parseLine(line: string): readonly AgentEvent[] {
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return [];
  }
  switch (said?.type) {
    case 'text':
      return typeof said.text === 'string' ? [{ type: 'text', text: said.text }] : [];
    case 'output':
      return 'output' in said ? [{ type: 'output', output: said.output }] : [];
    case 'error':
      return typeof said.message === 'string' ? [{ type: 'error', message: said.message }] : [];
    default:
      return [];
  }
}

function judge(exit: AgentExit): AgentOutcome {
  if (exit.timedOut) return timeIsUp('The scripted agent');
  const error = exit.events.findLast((event) => event.type === 'error');
  if (exit.code !== 0) {
    const said = error?.message ?? exit.stderrTail.trim();
    return { kind: 'failed', why: 'work', reason: said || `the scripted agent ended with code ${exit.code}` };
  }
  const answer = exit.events.findLast((event) => event.type === 'output');
  return { kind: 'done', output: answer?.output ?? null };
}

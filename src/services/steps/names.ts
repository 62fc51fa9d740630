/** Names of steps in the table of runs. A run's name says what its result means. */

export type WorkStage = 'agent' | 'commit' | 'push' | 'command';

export type StepName =
  | { readonly of: 'phase'; readonly phase: string; readonly attempt: number }
  | { readonly of: 'task'; readonly ordinal: number; readonly attempt: number; readonly stage: WorkStage }
  | { readonly of: 'verify'; readonly attempt: number; readonly stage: WorkStage };

export function phaseStep(phase: string, attempt: number): string {
  return `phase:${phase}:${attempt}`;
}

/** The common beginning of one attempt's steps. */
export function taskPrefix(ordinal: number, attempt: number): string {
  return `task:${ordinal}:${attempt}:`;
}

export function verifyPrefix(attempt: number): string {
  return `verify:${attempt}:`;
}

/** Reads a name back; null for one that no version of this code wrote. */
export function parseStep(name: string): StepName | null {
  const [of, ...rest] = name.split(':');
  if (of === 'phase' && rest.length === 2) return { of, phase: rest[0]!, attempt: Number(rest[1]) };
  if (of === 'task' && rest.length === 3) {
    return { of, ordinal: Number(rest[0]), attempt: Number(rest[1]), stage: rest[2] as WorkStage };
  }
  if (of === 'verify' && rest.length === 2) {
    return { of, attempt: Number(rest[0]), stage: rest[1] as WorkStage };
  }
  return null;
}

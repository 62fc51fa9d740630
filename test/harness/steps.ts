import { randomUUID } from 'node:crypto';
import type { Step } from '../../src/runner/protocol.ts';

type Of<K extends Step['kind']> = Extract<Step, { kind: K }>;

const base = { generation: 1, phase: 'execute', timeoutMs: 20_000 };

export function agentStep(fields: Partial<Of<'agent'>> = {}): Of<'agent'> {
  return {
    ...base,
    stepId: randomUUID(),
    kind: 'agent',
    driver: 'scripted',
    subject: 'TSK-001',
    attempt: 1,
    prompt: 'Do it.',
    outputSchema: null,
    resetFirst: false,
    ...fields,
  };
}

export function commandStep(argv: string[], fields: Partial<Of<'command'>> = {}): Of<'command'> {
  return { ...base, stepId: randomUUID(), kind: 'command', argv, ...fields };
}

export function commitStep(fields: Partial<Of<'commit'>> = {}): Of<'commit'> {
  return {
    ...base,
    stepId: randomUUID(),
    kind: 'commit',
    message: 'feat: greet\n\nSpec: 0123abcd\nTask: TSK-001\nRequirement: REQ-1\n',
    author: { name: 'specwright[bot]', email: '1+specwright[bot]@users.noreply.github.com' },
    files: [],
    ...fields,
  };
}

export function pushStep(sha: string, fields: Partial<Of<'push'>> = {}): Of<'push'> {
  return { ...base, stepId: randomUUID(), kind: 'push', ref: 'refs/specwright/0123abcd', sha, ...fields };
}

import { phases } from '../../src/services/spec/states.ts';
import type { StatusView } from '../../src/services/status/view.ts';

/** A second of the afternoon on which the view's spec was begun. */
export const at = (seconds: number) => new Date(Date.UTC(2025, 2, 1, 14, 2, seconds));

/** What is shown of a spec that is at its second task of three. */
export const view: StatusView = {
  specId: '0a1b2c3d-0000-4000-8000-000000000000',
  issueNumber: 7,
  status: 'executing',
  phase: 'execute',
  attempt: 1,
  maxAttempts: 3,
  hold: null,
  phases: phases.map((name, index) => ({
    name,
    state: index < 5 ? 'done' : index === 5 ? 'running' : 'pending',
    startedAt: index <= 5 ? at(index * 2) : null,
    endedAt: index < 5 ? at(index * 2 + 2) : null,
    attempt: name === 'tasks' ? 2 : index <= 5 ? 1 : 0,
    failures: name === 'tasks' ? ['R4 is served by no task.'] : [],
  })),
  tasks: [
    { id: 'TSK-001', title: 'Add the hours', state: 'done', sha: '1'.repeat(40) },
    { id: 'TSK-002', title: 'Greet by them', state: 'running', sha: null },
    { id: 'TSK-003', title: 'Document', state: 'pending', sha: null },
  ],
  branch: { name: 'spec/0a1b2c3d-greet', url: 'https://github.test/acme/greeter/tree/spec/0a1b2c3d-greet' },
  compareUrl: 'https://github.test/acme/greeter/compare/main...spec/0a1b2c3d-greet',
  pull: null,
  mergeSha: null,
  cause: null,
  sandbox: { provider: 'local', isolated: true },
  agent: { name: 'claude', scripted: false },
  models: null,
  waiting: null,
  refusedHosts: [],
  requester: 'mona',
  label: 'spec',
  createdAt: at(0),
  updatedAt: at(30),
  endedAt: null,
};

/** Its pull request, where it has one. */
export const pull = { number: 8, url: 'https://github.test/acme/greeter/pull/8' };

import type { Emulator } from './emulator.ts';
import type { Permissions } from './state.ts';

export interface DemoPerson {
  readonly id: number;
  readonly login: string;
  readonly token: string;
}

export interface DemoWorld {
  readonly app: { id: number; clientId: string; privateKey: string; slug: string };
  readonly installation: { id: number };
  readonly repo: { id: number; fullName: string };
  readonly people: {
    /** Has the write role in the repository. */
    readonly maintainer: DemoPerson;
    /** A collaborator who may only read. */
    readonly reader: DemoPerson;
    /** Nobody whom the repository knows. */
    readonly outsider: DemoPerson;
  };
}

const PERMISSIONS: Permissions = {
  metadata: 'read',
  contents: 'write',
  issues: 'write',
  pull_requests: 'write',
  checks: 'write',
  actions: 'read',
  statuses: 'read',
  members: 'read',
};

const EVENTS: readonly string[] = [
  'issues',
  'issue_comment',
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
  'pull_request_review_thread',
  'check_run',
  'check_suite',
  'status',
  'push',
  'create',
  'delete',
  'label',
  'repository',
];

const FILES: Record<string, string> = {
  'README.md': `# greeter

Says hello.

\`\`\`js
import { greet } from './src/greet.js';
greet('Ada'); // "Hello, Ada!"
\`\`\`
`,
  'package.json': `${JSON.stringify(
    { name: 'greeter', version: '1.0.0', private: true, type: 'module', scripts: { test: 'node --test' } },
    null,
    2,
  )}\n`,
  'src/greet.js': `/** Greets somebody by name. */
export function greet(name) {
  return \`Hello, \${name}!\`;
}
`,
  'test/greet.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { greet } from '../src/greet.js';

test('greets by name', () => {
  assert.equal(greet('Ada'), 'Hello, Ada!');
});
`,
  '.github/pull_request_template.md': `## What changes

<!-- One paragraph for the reviewer. -->

## Checklist

- [ ] Tests cover the change
- [ ] The README is up to date
`,
  '.gitignore': 'node_modules/\n',
};

export interface DemoOptions {
  /** Signs the webhooks. */
  readonly webhookSecret: string;
  readonly webhookUrl?: string;
  /** PEM; made afresh when unset. */
  readonly privateKey?: string;
  /** Names other than the demo's own. */
  readonly names?: { readonly owner: string; readonly repo: string; readonly maintainer: string };
  /** Files in place of the demo's project, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

const NAMES = { owner: 'acme', repo: 'greeter', maintainer: 'mona' };

/** Fills an emulator with what a demo needs: an organisation, people, a small project and the installed App. */
export async function seedDemo(emulator: Emulator, options: DemoOptions): Promise<DemoWorld> {
  const { names = NAMES, files = FILES, ...hook } = options;
  const { owner } = names;
  emulator.createUser({ login: owner, type: 'Organization' });
  // In a person's own repository the owner is also the one who labels.
  const person = names.maintainer === owner ? `${owner}-maintainer` : names.maintainer;
  const maintainer = emulator.createUser({ login: person });
  const reader = emulator.createUser({ login: 'rookie' });
  const outsider = emulator.createUser({ login: 'stranger' });
  const app = emulator.createApp({
    slug: 'specwright',
    name: 'Specwright',
    permissions: PERMISSIONS,
    events: EVENTS,
    owner,
    ...hook,
  });
  const repo = await emulator.createRepository({ owner, name: names.repo, description: 'Says hello', files });
  emulator.addCollaborator({ repo: repo.fullName, login: maintainer.login, permission: 'write' });
  emulator.addCollaborator({ repo: repo.fullName, login: reader.login, permission: 'read' });
  const { installationId } = await emulator.installApp({
    appId: app.id,
    account: owner,
    repositories: 'all',
  });
  return { app, installation: { id: installationId }, repo, people: { maintainer, reader, outsider } };
}

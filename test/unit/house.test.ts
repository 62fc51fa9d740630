import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { pages } from '../../scripts/docs/pages.ts';
import { environmentSchema } from '../../src/config-schema.ts';
import { handlers } from '../../src/handlers/index.ts';
import {
  alwaysSent,
  missingPermissions,
  permissions,
  subscriptions,
  workflowPermissions,
} from '../../src/permissions.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(root + path, 'utf8');

/** What is committed, or will be. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
})
  .split('\0')
  .filter((path) => path && existsSync(root + path));

describe('files that are made from the code', () => {
  test.each(pages.map(({ path, render }) => [path, render] as const))(
    '%s is up to date (if not: npm run docs)',
    (path, render) => {
      expect(read(path)).toBe(render());
    },
  );
});

describe('.env.example', () => {
  test('has every variable that the configuration reads, once, and no other', () => {
    const shown = [...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
    const known = Object.keys(environmentSchema.shape);
    expect(new Set(shown)).toEqual(new Set(known));
    expect(shown).toHaveLength(known.length);
  });

  test('leaves no secret filled in', () => {
    expect(read('.env.example')).not.toMatch(
      /^#?(WEBHOOK_SECRET\w*|API_TOKEN|PRIVATE_KEY|CREDENTIAL_KEYS|\w+_API_KEY)=./m,
    );
  });

  test('is all that the process reads: no other module looks into the environment for settings', () => {
    const conventions = ['NO_COLOR', 'FORCE_COLOR', 'CI', 'TERM', 'PATH', 'HOME', 'TMPDIR', 'SystemRoot'];
    // No setting but a switch of the crash tests, which operators have no use for.
    const switches = ['CRASH_POINTS'];
    const known = new Set([...Object.keys(environmentSchema.shape), ...conventions, ...switches]);
    const unknown = files
      .filter(
        (path) =>
          /^src\/.*\.ts$/.test(path) && !path.startsWith('src/runner/') && !path.startsWith('src/agent/'),
      )
      .flatMap((path) =>
        [...read(path).matchAll(/process\.env(?:\.|\[')([A-Z]\w+)/g)].map(([, name = '']) => ({
          path,
          name,
        })),
      )
      .filter(({ name }) => !known.has(name));
    expect(unknown).toEqual([]);
  });
});

describe('the App manifests', () => {
  const base = parse(read('app.yml')) as Manifest;
  const extended = parse(read('app.workflows.yml')) as Manifest;
  interface Manifest {
    default_permissions: Record<string, string>;
    default_events: string[];
    public: boolean;
    request_oauth_on_install: boolean;
  }

  test('app.yml asks for the table of permissions and events, and nothing else', () => {
    expect(base.default_permissions).toEqual(
      Object.fromEntries(permissions.map(({ name, access }) => [name, access])),
    );
    expect(base.default_events).toEqual(subscriptions.map(({ name }) => name));
    expect(base).toMatchObject({ public: false, request_oauth_on_install: false });
  });

  test('app.workflows.yml adds workflows and actions: write, and nothing else', () => {
    expect(workflowPermissions.map(({ name }) => name)).toEqual(['workflows', 'actions']);
    expect(extended.default_permissions).toEqual({
      ...base.default_permissions,
      workflows: 'write',
      actions: 'write',
    });
    expect(extended.default_events).toEqual(base.default_events);
  });

  test('ask for no administration, secret, hook or deployment', () => {
    const asked = Object.keys(extended.default_permissions).join(' ');
    expect(asked).not.toMatch(/administration|secret|hooks|deployments|environments|pages|packages/);
  });

  test('every permission has a reason and every event a use', () => {
    for (const { reason } of [...permissions, ...workflowPermissions])
      expect(reason).toMatch(/^[A-Z].{20,}\.$/);
    for (const { usedFor } of [...subscriptions, ...alwaysSent]) expect(usedFor).toMatch(/^[A-Z].{10,}\.$/);
  });

  test('the events marked as used now are those that handlers listen to', () => {
    const heard = new Set(Object.keys(handlers).map((key) => key.split('.')[0]));
    const now = [...subscriptions, ...alwaysSent].filter(
      (each) => each.now && each.name !== 'github_app_authorization',
    );
    expect(new Set(now.map(({ name }) => name))).toEqual(heard);
  });
});

describe('what an installation grants', () => {
  const granted = Object.fromEntries(permissions.map(({ name, access }) => [name, access]));

  test('is enough when it is what was asked for, whether or not later permissions were approved', () => {
    expect(missingPermissions(granted)).toEqual([]);
    const { checks: _checks, members: _members, ...less } = granted;
    expect(missingPermissions(less)).toEqual([]);
  });

  test('is not enough when a permission is missing, or read where write is needed', () => {
    const { issues: _issues, ...rest } = granted;
    const missing = missingPermissions({ ...rest, contents: 'read' });
    expect(missing.map(({ name }) => name)).toEqual(['contents', 'issues']);
  });
});

describe('the house', () => {
  test.each([
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'LICENSE',
    'docs/operations.md',
  ])('%s is there', (path) => {
    expect(read(path).length).toBeGreaterThan(200);
  });

  test('every link between documents leads somewhere', () => {
    const broken = files
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, to = '']) => ({ path, to })),
      )
      .filter(({ path, to }) => !existsSync(fileURLToPath(new URL(to, `file://${root}${path}`))));
    expect(broken).toEqual([]);
  });

  test('every "npm run" that a document names exists', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const unknown = files
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        [...read(path).matchAll(/npm run ([a-z:-]+)/g)].map(([, name = '']) => ({ path, name })),
      )
      .filter(({ name }) => !(name in scripts));
    expect(unknown).toEqual([]);
  });

  test.each(['npm cit', 'npm run test:crash'])(
    '.ci/run can be executed and calls %s, as the README does',
    (command) => {
      expect(statSync(`${root}.ci/run`).mode & 0o111).not.toBe(0);
      expect(read('.ci/run').split('\n')).toContain(`${command} || status=$?`);
      expect(read('README.md')).toContain(command);
    },
  );

  test('no file of the tests is longer than 300 lines: a subject of its own gets a file of its own', () => {
    const long = files
      .filter((path) => /^test\/.*\.ts$/.test(path))
      .map((path) => ({ path, lines: read(path).split('\n').length - 1 }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });

  test('no file tells where somebody works', () => {
    // Put together from parts, so that this file does not find itself.
    const places = new RegExp(
      [
        `/${'Users'}/[a-z]`,
        `/${'home'}/(?!agent\\b|runner\\b|specwright\\b)[a-z]`,
        `/${'work'}/(main|shared)\\b`,
        `${'bash'}_jobs`,
      ].join('|'),
    );
    const telling = files.filter((path) => {
      if (statSync(root + path).size > 2 * 1024 * 1024) return false;
      return places.test(read(path));
    });
    expect(telling).toEqual([]);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { type Import, importsOf } from '../harness/imports.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = readdirSync(`${root}src`, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(root, `${entry.parentPath}/${entry.name}`).replaceAll('\\', '/'))
  .sort();
const text = new Map(sources.map((path) => [path, readFileSync(root + path, 'utf8')]));
const all: Import[] = sources.flatMap((path) => importsOf(path, text.get(path) ?? ''));

/** Small modules at the root of src that anybody may use; they use only one another. */
const leaves = [
  'base-url',
  'censor',
  'clock',
  'closers',
  'config',
  'config-contradictions',
  'config-schema',
  'config-variables',
  'crash-point',
  'credential-keys',
  'errors',
  'log',
  'permissions',
  'private-key',
  'seal',
];

/** The layer of a file: its first folder below src, "leaf", or the file's own name ("main", "deps", "index"). */
function layerOf(path: string): string {
  if (path.startsWith('db/')) return 'migrations';
  const [, first = '', ...rest] = path.split('/');
  if (rest.length > 0) return first;
  const name = first.replace(/\.ts$/, '');
  return leaves.includes(name) ? 'leaf' : name;
}

const below = ['leaf', 'db', 'github', 'sandbox', 'agent', 'runner', 'services', 'handlers', 'http'];

/** What each layer may import: `values` run code of the other layer, `types` vanish when types are stripped. */
const arrows: Record<string, { values: readonly string[]; types: readonly string[] }> = {
  leaf: { values: ['leaf'], types: [] },
  db: { values: ['leaf', 'migrations'], types: [] },
  github: { values: ['leaf'], types: [] },
  sandbox: { values: ['leaf'], types: [] },
  agent: { values: [], types: [] },
  runner: { values: ['agent'], types: [] },
  emulator: { values: [], types: [] },
  services: { values: ['leaf', 'db', 'github'], types: ['sandbox', 'agent', 'deps'] },
  handlers: { values: ['leaf', 'services', 'db', 'github'], types: ['deps'] },
  http: { values: ['leaf', 'services'], types: ['db', 'github', 'sandbox', 'agent', 'deps'] },
  // The process: what it is made of, and its two halves.
  deps: { values: ['leaf', 'db', 'github', 'sandbox', 'agent', 'services', 'http'], types: [] },
  index: { values: ['handlers', 'receive-alone'], types: [] },
  'receive-alone': { values: ['leaf', 'deps', 'handlers'], types: [] },
  web: { values: ['leaf', 'db', 'http', 'services'], types: ['deps'] },
  worker: { values: ['leaf', 'db', 'handlers', 'index', 'services'], types: ['deps'] },
  main: { values: ['leaf', 'deps', 'web', 'worker'], types: [] },
  cli: { values: [...below, 'deps', 'main', 'emulator'], types: [] },
};

/** What both sides of the gateway share. */
const wire = ['src/runner/protocol.ts', 'src/runner/limits.ts'];

/** Where values of a package may be imported from; types may come along anywhere outside the services. */
const packages: readonly { name: RegExp; only: readonly string[]; typesInServices: boolean }[] = [
  { name: /^(@octokit\/|octokit|universal-github-app-jwt)/, only: ['github'], typesInServices: false },
  { name: /^probot$/, only: ['index', 'worker'], typesInServices: false },
  { name: /^(knex|pg)$/, only: ['db'], typesInServices: true },
  { name: /^@daytona/, only: ['sandbox'], typesInServices: false },
  { name: /^fastify/, only: ['http', 'web', 'deps'], typesInServices: false },
  { name: /^pino$/, only: ['leaf'], typesInServices: false },
];

function show({ from, to, specifier }: Import): string {
  return `${from} imports ${to ?? specifier}`;
}

test('the reader of imports finds every kind and tells types from values', () => {
  const source = [
    "import { a } from './a.ts';",
    "import type { B } from '../b/b.ts';",
    "import { type C, type D } from 'pkg';",
    "import { type E, f } from './e.ts';",
    "import {\n  type G,\n  h,\n} from './g.ts';",
    "import './effect.ts';",
    "export * from './all.ts';",
    "export type { I } from './i.ts';",
    "const late = await import('node:fs');",
    "const text = 'no import at all';",
  ].join('\n');
  const found = importsOf('src/x/y.ts', source).map(({ to, specifier, typeOnly }) => [
    to ?? specifier,
    typeOnly,
  ]);
  expect(found).toEqual([
    ['src/x/a.ts', false],
    ['src/b/b.ts', true],
    ['pkg', true],
    ['src/x/e.ts', false],
    ['src/x/g.ts', false],
    ['src/x/all.ts', false],
    ['src/x/i.ts', true],
    ['src/x/effect.ts', false],
    ['node:fs', false],
  ]);
});

describe('arrows point one way', () => {
  test('there are sources to look at, and their imports are found', () => {
    expect(sources.length).toBeGreaterThan(10);
    expect(all.length).toBeGreaterThan(sources.length);
  });

  test('every layer imports only the layers below it', () => {
    const wrong = all.filter(({ from, to, typeOnly }) => {
      if (!to) return false;
      const [own, other] = [layerOf(from), layerOf(to)];
      if (own === other || (wire.includes(to) && own !== 'emulator')) return false;
      const arrow = arrows[own];
      if (!arrow) return true;
      return !(arrow.values.includes(other) || (typeOnly && arrow.types.includes(other)));
    });
    expect(wrong.map(show)).toEqual([]);
  });

  test('nothing imports index.ts but the worker, and nothing main.ts but the command line', () => {
    const wrong = all.filter(({ from, to }) => {
      if (to === 'src/index.ts') return from !== 'src/worker.ts';
      return to === 'src/main.ts' && !from.startsWith('src/cli/');
    });
    expect(wrong.map(show)).toEqual([]);
  });

  test('every import stays inside src, apart from the migrations', () => {
    const wrong = all.filter(({ to }) => to && !to.startsWith('src/') && !to.startsWith('db/'));
    expect(wrong.map(show)).toEqual([]);
  });

  test('every relative import names a file that exists', () => {
    const wrong = all.filter(({ to }) => to?.startsWith('src/') && !text.has(to));
    expect(wrong.map(show)).toEqual([]);
  });

  test('packages that make clients are used in one place each, and services name none of their types', () => {
    const wrong = all.filter(({ from, to, specifier, typeOnly }) => {
      const rule = to ? undefined : packages.find(({ name }) => name.test(specifier));
      if (!rule || rule.only.includes(layerOf(from))) return false;
      return !typeOnly || (layerOf(from) === 'services' && !rule.typesInServices);
    });
    expect(wrong.map(show)).toEqual([]);
  });

  test('what ships into a sandbox needs nothing but Node, zod and what is bundled with it', () => {
    const wrong = all.filter(
      ({ from, to, specifier }) =>
        ['runner', 'agent'].includes(layerOf(from)) &&
        !to &&
        !specifier.startsWith('node:') &&
        specifier !== 'zod',
    );
    expect(wrong.map(show)).toEqual([]);
  });

  test('only the process makes connections and clients: services, handlers and http get them given', () => {
    const makers = /^src\/(db\/(connect|embedded\/)|github\/client\.ts)/;
    const wrong = all.filter(
      ({ from, to, typeOnly }) =>
        to && makers.test(to) && !typeOnly && ['services', 'handlers', 'http'].includes(layerOf(from)),
    );
    expect(wrong.map(show)).toEqual([]);
  });
});

describe('state and shape of modules', () => {
  test('no module holds a variable', () => {
    const wrong = sources.filter((path) => /^(export )?(let|var) /m.test(text.get(path) ?? ''));
    expect(wrong).toEqual([]);
  });

  test('no module holds a collection that can change', () => {
    const wrong = sources.flatMap((path) => {
      const found = /^(?:export )?const (\w+)(?::([^=\n]*))? = new (?:Weak)?(?:Map|Set)\b/gm;
      return [...(text.get(path) ?? '').matchAll(found)]
        .filter(([, , type]) => !type?.includes('Readonly'))
        .map(([, name]) => `${path}: ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('no file has more than 300 lines, and the state table no more than 400', () => {
    const most = (path: string) => (path === 'src/services/spec/rules.ts' ? 400 : 300);
    const wrong = sources.filter((path) => (text.get(path) ?? '').trimEnd().split('\n').length > most(path));
    expect(wrong).toEqual([]);
  });

  test('files and folders are named in kebab-case, after what they do', () => {
    const wrong = sources.filter((path) =>
      posix
        .relative('src', path)
        .replace(/\.ts$/, '')
        .split('/')
        .some((part) => {
          const kebab = /^[a-z0-9]+(-[a-z0-9]+)*$/.test(part);
          return !kebab || part.split('-').some((word) => /^(manager|helper|util|common|misc)s?$/.test(word));
        }),
    );
    expect(wrong).toEqual([]);
  });
});

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseScript } from '../../src/agent/script.ts';
import { pathProblem } from '../../src/services/branches/paths.ts';
import { buildPlan } from '../../src/services/spec/plan.ts';
import { demoArtifacts, demoScript } from '../harness/artifacts.ts';

const run = promisify(execFile);

/** The repository that the demo starts from. */
const greeter: Record<string, string> = {
  'package.json': '{"name":"greeter","type":"module","scripts":{"test":"node --test"}}\n',
  'README.md': '# greeter\n\nGreets people.\n',
  'src/greet.js': "export function greet(name) {\n  return 'Hello, ' + name + '!';\n}\n",
  'test/greet.test.js':
    "import assert from 'node:assert/strict';\nimport { test } from 'node:test';\nimport { greet } from '../src/greet.js';\n\n" +
    "test('greets by name', () => {\n  assert.equal(greet('Ada'), 'Hello, Ada!');\n});\n",
};

describe('the demo’s script', () => {
  const script = demoScript();
  const { tasks, sync } = demoArtifacts();
  const plan = buildPlan(tasks, sync);
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'greeter-'));
    for (const [path, content] of Object.entries(greeter)) await put(path, content);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function put(path: string, content: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }

  test('is one that the scripted agent can play', async () => {
    const text = await readFile(new URL('../../src/cli/demo-script.json', import.meta.url), 'utf8');
    expect(parseScript(text)).toMatchObject({ ok: true });
  });

  test('edits exactly the files that each task names', () => {
    const edited = plan.tasks.map(({ id }) => script.tasks[id]?.edits.map(({ path }) => path).sort());
    expect(edited).toEqual(plan.tasks.map(({ files }) => files.map(({ path }) => path).sort()));
    expect(edited.flat().map((path) => pathProblem(path ?? ''))).toEqual(edited.flat().map(() => null));
  });

  test('leaves the tests of its repository passing after every task', async () => {
    const passed: number[] = [];
    for (const task of plan.tasks) {
      for (const edit of script.tasks[task.id]?.edits ?? []) await put(edit.path, edit.content);
      const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], { cwd: folder });
      passed.push(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]));
    }
    expect(passed).toEqual([5, 8, 11]);
  });
});

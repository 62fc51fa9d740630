import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Report } from '../../src/cli/demo/report.ts';
import type { demoScript } from '../harness/artifacts.ts';
import { runCli } from '../harness/cli.ts';
import { quickScript } from '../harness/line.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);

let folder: string;
let kept: Awaited<ReturnType<typeof demo>> | undefined;
let report: Report;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'specwright-cli-demo-'));
});
afterAll(async () => {
  kept?.child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

/** A demo whose temporary files are in a folder of its own. */
async function demo(...args: string[]) {
  const cwd = await mkdtemp(join(folder, 'd-'));
  return { cwd, ...runCli(['demo', ...args], { cwd, env: { TMPDIR: cwd } }) };
}

/** Files and processes of a demo that has ended. */
async function leftBy({ cwd }: { cwd: string }): Promise<{ files: string[]; processes: string[] }> {
  const { stdout } = await run('ps', ['-eo', 'args']);
  return {
    files: await readdir(cwd),
    processes: stdout.split('\n').filter((line) => line.includes(cwd)),
  };
}

test('two demos side by side each do the whole job: one as JSON and nothing else, one in plain lines', async () => {
  const plain = await demo();
  const keeping = await demo('--json', '--keep');
  kept = keeping;
  expect(await plain.ended).toBe(0);
  await until(() => keeping.stderr().includes('Press Ctrl-C'), 40_000);

  report = JSON.parse(keeping.stdout()) as Report;
  expect(keeping.stdout().trim().split('\n')).toHaveLength(1);
  expect(report).toMatchObject({
    spec: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), status: 'merged' },
    issue: { number: 1, state: 'closed' },
    branch: { name: expect.stringMatching(/^spec\/[0-9a-f]{8}-greet/), deleted: true },
    pullRequest: { number: 2, merged: true, mergeSha: expect.stringMatching(/^[0-9a-f]{40}$/) },
    sandbox: { provider: 'local', isolated: true, gone: true },
    agent: { driver: 'scripted', scripted: true },
    missing: [],
  });
  expect(report.commits).toHaveLength(3);
  expect(report.githubCalls.rest).toBeLessThanOrEqual(30);
  expect(report.githubCalls.contentWrites).toBeLessThanOrEqual(14);
  expect(report.timings.labelToFirstCommandMs).toBeGreaterThan(0);
  expect(report.timings.totalMs).toBeLessThan(60_000);

  const lines = plain.stdout();
  expect(lines).not.toContain('\u001b');
  const order = [
    'Repository http://127.0.0.1:',
    'A script plays the coding agent here: no model is at work.',
    'labels it "spec"',
    'phase completed: explore',
    'task TSK-003 done',
    'phase completed: execute',
    'reviews and merges http://',
    'What happened:',
    'sandbox        local, isolated, gone',
  ];
  const places = order.map((text) => lines.indexOf(text));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(await leftBy(plain)).toEqual({ files: [], processes: [] });
}, 60_000);

test('--keep leaves everything running for git and a browser, and Ctrl-C takes it away', async () => {
  const [, command = ''] = /git {7}(git clone \S+)/.exec(kept!.stderr()) ?? [];
  const clone = join(folder, 'clone');
  await run('git', [...command.split(' ').slice(1), clone]);
  expect(existsSync(join(clone, 'bin/greet.js'))).toBe(true);
  const page = await fetch(report.pullRequest.url!);
  expect(await page.text()).toContain('Greet people by time of day');
  const [, health = ''] = /health {4}(\S+)/.exec(kept!.stderr()) ?? [];
  expect((await fetch(health)).status).toBe(200);

  kept!.child.kill('SIGINT');
  expect(await kept!.ended).toBe(0);
  expect(await leftBy(kept!)).toEqual({ files: [], processes: [] });
});

test('a demo in which a step did not happen says which, keeps its log and fails; Ctrl-C ends one at once', async () => {
  const { phases, tasks } = quickScript() as unknown as ReturnType<typeof demoScript>;
  const { explore, ...rest } = phases;
  const script = join(folder, 'script.json');
  const broken = { ...rest, explore: { ...explore, output: { summary: 'no more than that' } } };
  await writeFile(script, JSON.stringify({ phases: broken, tasks }));
  const [failed, stopped] = [await demo('--json', '--script', script), await demo()];

  await until(() => stopped.stdout().includes('phase started: requirements'), 30_000);
  stopped.child.kill('SIGINT');
  expect(await stopped.ended).toBe(130);
  expect(await leftBy(stopped)).toEqual({ files: [], processes: [] });

  expect(await failed.ended).toBe(1);
  const { spec, missing } = JSON.parse(failed.stdout()) as Report;
  expect(spec.status).toBe('failed');
  expect(missing).toEqual(
    expect.arrayContaining([
      'the spec was merged',
      'one pull request was opened',
      'every task has its commit',
    ]),
  );
  expect(missing).not.toContain('the request was acknowledged with eyes');
  const left = await leftBy(failed);
  expect(left).toEqual({ files: [expect.stringMatching(/^specwright-demo-\w+\.log$/)], processes: [] });
  expect(await readFile(join(failed.cwd, left.files[0]!), 'utf8')).toContain('Specwright is ready');
}, 60_000);

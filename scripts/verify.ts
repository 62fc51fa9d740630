/**
 * `npm run verify [part of a test's name …]`: holds every claim at its whole size, runs the benchmarks, and prints a
 * table of claim, command, seed and figure. It takes long; exit code 1 when a claim does not hold.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Row {
  readonly claim: string;
  readonly command: string;
  readonly seed: string;
  readonly figure: string;
  readonly held: boolean;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);

/** Runs to the end with its output shown; answers the exit code. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 2, 2],
    });
    child.once('error', reject).once('close', (code) => resolve(code ?? 1));
  });
}

/** Tests that have a whole size or measure a claim. */
async function claimTests(): Promise<string[]> {
  const names = await readdir(join(ROOT, 'test'), { recursive: true });
  const tests = names.filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`);
  const texts = await Promise.all(tests.map((path) => readFile(join(ROOT, path), 'utf8')));
  const chosen = tests.filter((_, i) => /\b(sized|recordClaim)\(/.test(texts[i]!));
  return chosen.filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part))).sort();
}

interface JestReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Holds the claims of one test file. */
async function holdTest(path: string, folder: string): Promise<Row[]> {
  const claims = join(folder, 'claims.jsonl');
  const report = join(folder, 'jest.json');
  await Promise.all([writeFile(claims, ''), writeFile(report, '')]);
  const args = ['jest', '--config', 'jest.verify.config.mjs', '--json', '--outputFile', report, path];
  const code = await run('npx', args, {
    VERIFY: '1',
    CLAIMS_FILE: claims,
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
  });
  const command = `npm run verify ${path}`;
  const lines = (await readFile(claims, 'utf8')).split('\n').filter((line) => line !== '');
  const held = lines.map((line) => {
    const { claim, figure, seed } = JSON.parse(line) as { claim: string; figure: string; seed?: number };
    return { claim, command, seed: seed === undefined ? '' : String(seed), figure, held: true };
  });
  const failed = failuresOf(await readFile(report, 'utf8'), command);
  if (code !== 0 && failed.length === 0)
    failed.push({ claim: path, command, seed: '', figure: `ended with ${code}`, held: false });
  return [...held, ...failed];
}

function failuresOf(report: string, command: string): Row[] {
  if (report === '') return [];
  return (JSON.parse(report) as JestReport).testResults.flatMap(({ assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => {
        const message = failureMessages.join('\n');
        const seed = /SEED=(\d+)/.exec(message)?.[1] ?? '';
        return { claim: fullName, command, seed, figure: message.split('\n')[0]!.slice(0, 120), held: false };
      }),
  );
}

/** Benchmarks judge themselves: each prints its figures, and exits with 1 when a bound is missed. */
async function holdBench(name: string): Promise<Row> {
  const code = await run(process.execPath, [`bench/${name}.ts`], {});
  const command = `npm run bench:${name}`;
  const figure =
    code === 0 ? 'every bound held; its table is above' : 'a bound was missed; its table is above';
  return { claim: `the bounds of the ${name} benchmark`, command, seed: '', figure, held: code === 0 };
}

function print(rows: readonly Row[]): void {
  process.stdout.write('\n| claim | command | seed | figure | held |\n| --- | --- | --- | --- | --- |\n');
  for (const { claim, command, seed, figure, held } of rows)
    process.stdout.write(`| ${claim} | \`${command}\` | ${seed} | ${figure} | ${held ? 'yes' : 'NO'} |\n`);
  const broken = rows.filter(({ held }) => !held).length;
  process.stdout.write(`\n${rows.length - broken} claims held, ${broken} did not\n`);
}

const BENCHES = ['ingress', 'pipeline', 'line', 'models'];

const folder = await mkdtemp(join(tmpdir(), 'specwright-verify-'));
try {
  const rows: Row[] = [];
  for (const path of await claimTests()) rows.push(...(await holdTest(path, folder)));
  const benches = BENCHES.filter((name) => wanted.length === 0 || wanted.includes(`bench/${name}.ts`));
  for (const name of benches) rows.push(await holdBench(name));
  print(rows);
  process.exitCode = rows.every(({ held }) => held) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SpecRow } from '../../src/db/specs.ts';
import { unpackBody } from '../../src/services/inbox/packing.ts';
import { type Canary, canaryOf, canaryOfKey, findCanaries, spellings } from '../harness/canaries.ts';
import { putModelKey } from '../harness/credentials-desk.ts';
import { dumpDatabase } from '../harness/dump-database.ts';
import { settledInvariants } from '../harness/invariants.ts';
import { type ChildApp, type Line, openLine } from '../harness/line.ts';
import { proxyVariables } from '../harness/proxy-variables.ts';
import { until } from '../harness/until.ts';

const run = promisify(execFile);
const ALL_OUTPUT = { encoding: 'buffer', maxBuffer: 256 * 1024 * 1024 } as const;

/**
 * Runs inside the sandbox as the repository's own check, while the App holds tokens for this run: lays down what a
 * program there can see, and waits until the test has fetched it from outside. Nothing to look for is given away.
 */
const SCAN = `mkdir .scan
cat /proc/$$/environ >.scan/environment
{ cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/mounts /proc/self/mountinfo; ls -l /proc/[0-9]*/fd; } >.scan/proc 2>&1
{ git config --list --show-origin; git remote -v; } >.scan/git 2>&1
git cat-file --batch-all-objects --batch >.scan/objects 2>&1
find / /dev/shm \\( -path /dev -o -path /usr -o -path /proc -o -path /sys -o -path /opt/node -o -path "$PWD/.scan" \\) -prune -o -type f -readable -size -16384k -exec cat {} + >.scan/disk 2>/dev/null
touch .scan/done
while [ ! -e .scan/seen ]; do sleep 0.1; done
`;

/** No secret: it travels with the issue's title, and every place that a title reaches has to be seen to hold it. */
const PLANTED = `planted-${randomBytes(16).toString('hex')}`;
const API_TOKEN = `operator-${randomBytes(32).toString('base64url')}`;
/** Of two model credentials: one is stored, the other comes from the environment. */
const SEALING_KEY = randomBytes(32).toString('base64');
const [STORED_KEY, GIVEN_KEY] = [1, 2].map(() => `sk-ant-api03-${randomBytes(32).toString('base64url')}`) as [
  string,
  string,
];

let line: Line;
let app: ChildApp;
let spec: SpecRow;
let canaries: Canary[];
const places = new Map<string, Buffer>();

beforeAll(async () => {
  const env = { API_TOKEN, CREDENTIAL_KEYS: `k1:${SEALING_KEY}`, ANTHROPIC_API_KEY: GIVEN_KEY };
  line = await openLine({ env });
  const owner = { scope: 'installation', id: line.world.installation.id } as const;
  await putModelKey(line.database.db, { base64: SEALING_KEY, owner, key: STORED_KEY });
  const content = Buffer.from(`verify: |\n${SCAN.replace(/^(?=.)/gm, '  ')}`).toString('base64');
  const path = `/repos/${line.world.repo.fullName}/contents/.github/specwright.yml`;
  await line.api('PUT', path, { message: 'ci: look around', content });
  app = await line.startChild();
  await runToTheEnd();
  await collect();
  canaries = [
    canaryOfKey('App key', line.world.app.privateKey),
    canaryOf('webhook secret', line.webhookSecret),
    canaryOf('API token', API_TOKEN, 'operator-'.length),
    canaryOf('database password', new URL(line.database.url).password),
    canaryOf('stored model key', STORED_KEY, 'sk-ant-api03-'.length),
    canaryOf('given model key', GIVEN_KEY, 'sk-ant-api03-'.length),
    canaryOf('sealing key', SEALING_KEY),
    { name: 'sealing key itself', needles: [Buffer.from(SEALING_KEY, 'base64').subarray(0, 24)] },
    ...line.github
      .installationTokens()
      .map(({ secret }, index) => canaryOf(`token ${index}`, secret, 'ghs_0000000_'.length)),
  ];
}, 90_000);
afterAll(() => line.close());

const PLACES = [
  'sandbox environment',
  'sandbox /proc',
  'sandbox git configuration',
  'sandbox git objects',
  'sandbox disk',
  'data folder',
  'log',
  'database',
  'deliveries',
  'issues and pull requests',
  'repository',
  'answers of the API',
];

describe('no secret of the App is found after a full run', () => {
  test.each(PLACES)('in: %s', (place) => {
    const text = places.get(place)!;
    expect(text.length).toBeGreaterThan(0);
    expect(findCanaries(canaries, text)).toEqual([]);
  });

  test('and the run had tokens of every kind to lose', () => {
    const kinds = line.github.installationTokens().map(({ permissions }) => JSON.stringify(permissions));
    expect(new Set(kinds).size).toBeGreaterThanOrEqual(3);
    expect(canaries.length).toBeGreaterThanOrEqual(8 + 3);
  });
});

describe('the search would find one', () => {
  test('in every place that an ordinary text of the issue reaches', () => {
    const planted = canaryOf('planted', PLANTED, 'planted-'.length);
    const reached = PLACES.filter((place) => findCanaries([planted], places.get(place)!).length > 0);
    expect(reached).toEqual([
      'sandbox environment',
      'sandbox /proc',
      'sandbox disk',
      'data folder',
      'database',
      'deliveries',
      'issues and pull requests',
      'repository',
    ]);
  });

  test('in the places where no text of an issue belongs, since they were read whole', () => {
    expect(places.get('sandbox git configuration')!.toString()).toContain(
      'remote.origin.url=http://127.0.0.1:',
    );
    expect(places.get('sandbox git objects')!.toString()).toContain('specwright[bot]');
    expect(places.get('log')!.toString()).toContain(spec.id);
    expect(places.get('data folder')!.toString()).toContain(spec.id);
    expect(places.get('answers of the API')!.toString()).toContain('spec.merged');
  });

  test('raw, in base64 at any place, in hex of either case and URL-encoded', () => {
    for (const canary of canaries) {
      for (const needle of canary.needles) {
        const hex = [needle.toString('hex'), needle.toString('hex').toUpperCase()];
        const base64 = [0, 1, 2, 3].map((at) =>
          Buffer.concat([randomBytes(at), needle, randomBytes(7)]).toString('base64'),
        );
        const ways = [...spellings(needle), ...hex, ...base64, encodeURIComponent(needle.toString('latin1'))];
        for (const way of ways) {
          expect(findCanaries(canaries, Buffer.from(`x${way}y`, 'latin1'))).toContain(canary.name);
        }
      }
    }
  });
});

test('the environment of a run is the documented one and nothing else', async () => {
  const entries = places.get('sandbox environment')!.toString().split('\0').filter(Boolean);
  const environment = Object.fromEntries(entries.map((entry) => /^([^=]*)=(.*)$/s.exec(entry)!.slice(1)));
  const sandbox = await line.database.db('sandboxes').where({ spec_id: spec.id }).first();
  const [owner] = line.world.repo.fullName.split('/');
  expect(environment).toEqual({
    SPEC_ID: spec.id,
    SPEC_PHASE: 'verify',
    SPEC_TITLE: spec.title,
    PROJECT_ID: String(line.world.repo.id),
    USER_ID: String(line.world.people.maintainer.id),
    SANDBOX_ID: sandbox.id,
    SANDBOX_GENERATION: '1',
    GITHUB_REPO: line.world.repo.fullName,
    GITHUB_REPO_OWNER: owner,
    GITHUB_USERNAME: line.world.people.maintainer.login,
    GATEWAY_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    ...proxyVariables,
    HOME: '/home/agent',
    PATH: expect.stringMatching(/^\/.*:\/usr\/local\/bin:\/usr\/bin:\/bin$/),
    LANG: 'C.UTF-8',
  });
});

async function runToTheEnd(): Promise<void> {
  const issue = await line.request(`Greet people ${PLANTED}`);
  const readSpec = () => line.database.db('specs').where({ issue_number: issue }).first();
  const scan = await fetchScan();
  places.set('sandbox environment', await readFile(join(scan, 'environment')));
  places.set('sandbox /proc', await readFile(join(scan, 'proc')));
  places.set('sandbox git configuration', await readFile(join(scan, 'git')));
  places.set('sandbox git objects', await readFile(join(scan, 'objects')));
  places.set('sandbox disk', await readFile(join(scan, 'disk')));
  places.set('data folder', await readFolder(line.folder));
  await writeFile(join(scan, 'seen'), '');
  await until(async () => (await readSpec()).status === 'in_review', 30_000);
  spec = await readSpec();
  await line.api('PUT', `/repos/${line.world.repo.fullName}/pulls/${spec.pull_request_number}/merge`, {});
  await until(async () => (await readSpec()).status === 'merged');
  expect(await settledInvariants(line)).toEqual([]);
}

/** The folder of the scan, as the host sees it, once the scan is complete. */
async function fetchScan(): Promise<string> {
  const root = join(line.folder, 'sandboxes');
  let found: string | undefined;
  await until(async () => {
    const names = existsSync(root) ? await readdir(root) : [];
    found = names
      .map((name) => join(root, name, 'workspace', '.scan'))
      .find((folder) => existsSync(join(folder, 'done')));
    return found !== undefined;
  }, 30_000);
  return found!;
}

async function collect(): Promise<void> {
  const { gitDir } = (await line.github.state()).repos[line.world.repo.fullName]!;
  const messages = await run('git', ['-C', gitDir, 'log', '--all', '--format=%an%n%ae%n%B'], ALL_OUTPUT);
  const objects = await run('git', ['-C', gitDir, 'cat-file', '--batch-all-objects', '--batch'], ALL_OUTPUT);
  places.set('repository', Buffer.concat([messages.stdout, objects.stdout]));
  places.set('issues and pull requests', Buffer.from(JSON.stringify(await line.github.state())));
  places.set('log', await readFile(line.logFile));
  places.set('database', await dumpDatabase(line.database.db));
  const deliveries = await line.database.db('deliveries').whereRaw('octet_length(bytes) > 0');
  places.set('deliveries', Buffer.concat(deliveries.map(({ bytes }) => unpackBody(bytes))));
  places.set('answers of the API', await askApi());
}

async function askApi(): Promise<Buffer> {
  const paths = [
    '/health/live',
    '/health/ready',
    `/api/v1/specs/${spec.id}/events?limit=100`,
    `/api/v1/specs/${spec.id}/sandbox-status`,
  ];
  const answers = paths.map(async (path) => {
    const response = await fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${API_TOKEN}` } });
    expect(response.status).toBe(200);
    return JSON.stringify([...response.headers]) + (await response.text());
  });
  return Buffer.from((await Promise.all(answers)).join('\n'));
}

async function readFolder(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Buffer.concat(await Promise.all(files.map((file) => readFile(file))));
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { crashPoints } from '../../src/crash-point.ts';
import { allCells, type CrashGroup, cellsOf, crashPhases, reachOf } from '../harness/crash-cells.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));

describe('the list of crash points', () => {
  test('names each point once, and every one is called in the sources', () => {
    const sources = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join(src, path), 'utf8'));
    const called = new Set(
      sources.flatMap((text) => [...text.matchAll(/crashPoint\('([^']+)'\)/g)].map(([, name]) => name)),
    );
    expect(called).toEqual(new Set(crashPoints));
    expect(new Set(crashPoints).size).toBe(crashPoints.length);
    expect(crashPoints.length).toBeGreaterThanOrEqual(30);
  });

  test('says of each point and phase that it is struck, or why nobody comes by', () => {
    const unexplained = crashPoints.filter((point) => {
      const { phases, otherwise } = reachOf[point];
      return phases.length === 0 || (phases.length < crashPhases.length && otherwise === '');
    });
    expect(unexplained).toEqual([]);
  });

  test('leaves no cell to nobody, and none to two', () => {
    const groups: CrashGroup[] = ['intake', 'outside', 'sandbox', 'gateway'];
    const struck = groups.flatMap(cellsOf);
    expect(new Set(struck)).toEqual(new Set(allCells()));
    expect(struck.length).toBe(allCells().length);
  });
});

describe('a crash point', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crash-points-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const comeBy = (env: Record<string, string>) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { crashPoint } from ${JSON.stringify(join(src, 'crash-point.ts'))};
         crashPoint('job.taken'); process.stdout.write('alive');`,
      ],
      { env, encoding: 'utf8' },
    );

  test('does nothing in a process that was not started for it', () => {
    writeFileSync(join(folder, 'armed'), 'job.taken');
    expect(comeBy({})).toMatchObject({ status: 0, stdout: 'alive' });
    expect(readdirSync(folder)).toEqual(['armed']);
  });

  test('lets a process by that another point is armed for, and notes that it came by', () => {
    writeFileSync(join(folder, 'armed'), 'job.before-finish');
    expect(comeBy({ CRASH_POINTS: folder })).toMatchObject({ status: 0, stdout: 'alive' });
    expect(readFileSync(join(folder, 'trace'), 'utf8')).toMatch(/^\d+ job\.taken\n$/);
  });

  test('kills the process on the spot, once', () => {
    writeFileSync(join(folder, 'armed'), 'job.taken');
    expect(comeBy({ CRASH_POINTS: folder })).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    expect(comeBy({ CRASH_POINTS: folder })).toMatchObject({ status: 0, stdout: 'alive' });
  });
});

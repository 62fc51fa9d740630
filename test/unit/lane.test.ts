import { expect, test } from '@jest/globals';
import { actionOf, installationOf, laneOf } from '../../src/services/inbox/lane.ts';
import { backoffMs } from '../../src/services/inbox/settings.ts';

const repository = { id: 10, full_name: 'acme/shop' };

test.each([
  ['an issue', { repository, issue: { number: 5 } }, 'repo:10#5'],
  ['a pull request', { repository, pull_request: { number: 7 } }, 'repo:10#7'],
  [
    'a comment on a pull request',
    { repository, issue: { number: 7, pull_request: {} }, comment: {} },
    'repo:10#7',
  ],
  [
    'a renamed repository',
    { repository: { id: 10, full_name: 'other/name' }, issue: { number: 5 } },
    'repo:10#5',
  ],
  ['a deleted branch', { repository, ref: 'x', ref_type: 'branch' }, 'repo:10'],
  ['an installation', { installation: { id: 3 } }, 'installation:3'],
  ['a repository event of an installation', { repository, installation: { id: 3 } }, 'repo:10'],
  ['something else', { zen: 'x' }, 'misc'],
  ['ids that are no numbers', { repository: { id: '10' }, installation: { id: -1 } }, 'misc'],
  ['a number that is none', { repository, issue: { number: 1.5 } }, 'repo:10'],
])('%s goes to its lane', (_what, payload, lane) => {
  expect(laneOf(payload)).toBe(lane);
});

test('an action is one word or nothing', () => {
  const actions = ['labeled', 'new_permissions_accepted', undefined, 5, '', 'two words', 'null\0byte'];
  expect(actions.map((action) => actionOf({ action }))).toEqual([
    'labeled',
    'new_permissions_accepted',
    ...Array(5).fill(null),
  ]);
});

test('the installation is a number or nothing', () => {
  expect(installationOf({ installation: { id: 3 } })).toBe(3);
  expect([installationOf({}), installationOf({ installation: null })]).toEqual([null, null]);
});

test('waits double from 1 s to 60 s', () => {
  expect([1, 2, 3, 6, 7, 50].map(backoffMs)).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
});

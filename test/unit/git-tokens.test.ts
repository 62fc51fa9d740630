import { expect, jest, test } from '@jest/globals';
import type { GitTokenRow, GitTokenStore } from '../../src/db/git-tokens.ts';
import { StaleError } from '../../src/errors.ts';
import type { GitToken } from '../../src/github/tokens.ts';
import { createLogger } from '../../src/log.ts';
import { createSealer } from '../../src/seal.ts';
import { createGitTokens } from '../../src/services/sandboxes/git-tokens.ts';
import { createKeptTokens, type KeptTokensOptions } from '../../src/services/sandboxes/kept-tokens.ts';

const repo = { owner: 'acme', name: 'shop', repositoryId: 1, installationId: 2 };
const HOUR_MS = 3_600_000;

/** Tokens whose minting waits until the test lets it end. */
function rig() {
  const live = new Set<string>();
  const waiting: (() => void)[] = [];
  const github = {
    mintGitToken: (_repo: object, access: string) =>
      new Promise<GitToken>((resolve) => {
        const token = `${access}-${waiting.length}`;
        waiting.push(() => {
          live.add(token);
          resolve({ token, expiresAt: new Date(Date.now() + HOUR_MS) });
        });
      }),
    revokeGitToken: async (_installationId: number, token: string) => void live.delete(token),
  } as KeptTokensOptions['github'];
  const rows = new Map<string, GitTokenRow>();
  const store: GitTokenStore = {
    keep: async (row) => void rows.set(row.id, row),
    forget: async (id) => void rows.delete(id),
    listLeft: async (limit) => [...rows.values()].slice(0, limit),
  };
  const log = createLogger({ level: 'fatal', secrets: [] });
  const process = (secret = 'a key') =>
    createGitTokens(createKeptTokens({ github, store, sealer: createSealer(secret, 'test'), log }));
  return { live, waiting, rows, process, tokens: process() };
}

test('a sandbox has one token an access, which its end revokes', async () => {
  const { live, waiting, tokens } = rig();
  const asked = [
    tokens.tokenFor('a', repo, { access: 'read' }),
    tokens.tokenFor('a', repo, { access: 'read' }),
  ];
  for (const mint of waiting) mint();
  expect(await Promise.all(asked)).toEqual(['read-0', 'read-0']);
  await tokens.release('a');
  expect(live.size).toBe(0);
});

test('a token that is being minted when its sandbox ends is revoked once it is there', async () => {
  const { live, waiting, tokens } = rig();
  const asked = tokens.tokenFor('a', repo, { access: 'write' });
  const released = tokens.release('a');
  for (const mint of waiting) mint();
  await Promise.all([asked, released]);
  expect(live.size).toBe(0);
});

test('a call that outlives its sandbox gets no token', async () => {
  const { waiting, tokens } = rig();
  await tokens.release('a');
  await expect(tokens.tokenFor('a', repo, { access: 'read' })).rejects.toThrow(StaleError);
  expect(waiting).toEqual([]);
});

test('a repository that came to another installation gets a token of that one, and the old one is revoked', async () => {
  const { live, waiting, tokens } = rig();
  const before = tokens.tokenFor('a', repo, { access: 'read' });
  waiting[0]!();
  expect(await before).toBe('read-0');
  const after = tokens.tokenFor('a', { ...repo, installationId: 3 }, { access: 'read' });
  waiting[1]!();
  expect(await after).toBe('read-1');
  expect([...live]).toEqual(['read-1']);
});

test('a token that is refused is replaced, unless it is so fresh that another would be refused too', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
  const { live, waiting, tokens } = rig();
  const first = tokens.tokenFor('a', repo, { access: 'read' });
  waiting[0]!();
  await first;
  expect(await tokens.tokenFor('a', repo, { access: 'read', refused: true })).toBe('read-0');
  jest.advanceTimersByTime(16_000);
  const next = tokens.tokenFor('a', repo, { access: 'read', refused: true });
  waiting[1]!();
  expect(await next).toBe('read-1');
  jest.useRealTimers();
  expect([...live]).toEqual(['read-1']);
});

test('what a process left behind is revoked by another, and its row holds nothing that can be read', async () => {
  const { live, waiting, rows, tokens, process } = rig();
  const asked = tokens.tokenFor('a', repo, { access: 'write' });
  waiting[0]!();
  await asked;
  expect([...rows.values()].map(({ sealed }) => sealed.includes('write-0'))).toEqual([false]);
  await process().revokeLeft();
  expect([live.size, rows.size]).toEqual([0, 0]);
});

test('a token that can not be read any more is left to its end', async () => {
  const { live, waiting, rows, tokens, process } = rig();
  const asked = tokens.tokenFor('a', repo, { access: 'write' });
  waiting[0]!();
  await asked;
  await process('another key').revokeLeft();
  expect([live.size, rows.size]).toEqual([1, 0]);
});

import { expect, jest, test } from '@jest/globals';
import { StaleError } from '../../src/errors.ts';
import type { GitHub } from '../../src/github/client.ts';
import type { GitToken } from '../../src/github/tokens.ts';
import { createLogger } from '../../src/log.ts';
import { createGitTokens } from '../../src/services/sandboxes/git-tokens.ts';

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
          const revoke = async () => void live.delete(token);
          resolve({ token, expiresAt: new Date(Date.now() + HOUR_MS), revoke });
        });
      }),
  } as unknown as GitHub;
  return { live, waiting, tokens: createGitTokens(github, createLogger({ level: 'fatal', secrets: [] })) };
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

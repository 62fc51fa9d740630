import { expect, test } from '@jest/globals';
import { createCensor } from '../../src/censor.ts';
import { censoredGitHub } from '../../src/github/censored.ts';
import type { GitHub } from '../../src/github/client.ts';

const SECRET = 'a-secret-without-a-shape';

test('a secret in a body or a title is censored, through tighter limits too, and nothing else is touched', async () => {
  const sent: unknown[] = [];
  const inner = {
    appId: '1',
    call: async (_target: unknown, _route: string, parameters: unknown) => void sent.push(parameters),
    within: () => inner,
  } as unknown as GitHub;
  const github = censoredGitHub(inner, createCensor([SECRET]));
  const repo = { installationId: 1, repositoryId: 1, owner: 'acme', name: 'shop' };
  const target = { repo, profile: 'issues' } as const;
  const route = 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments';
  await github.call(target, route, { issue_number: 5, body: `It is ${SECRET}.` });
  const changed = { title: SECRET, body: 'fine', labels: [SECRET] };
  await github.within({ timeoutMs: 1 }).call(target, 'POST /repos/{owner}/{repo}/issues', changed);
  expect(sent).toEqual([
    { issue_number: 5, body: 'It is [censored].' },
    { title: '[censored]', body: 'fine', labels: [SECRET] },
  ]);
  expect(github.appId).toBe('1');
});

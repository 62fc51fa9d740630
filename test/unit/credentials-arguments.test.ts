import { describe, expect, test } from '@jest/globals';
import { readArguments } from '../../src/cli/credentials/arguments.ts';

const KEY = 'sk-ant-api03-c4n4ry0123456789';

function problemOf(words: string): string {
  const read = readArguments(words.split(' '));
  if (read.ok) throw new Error('it was accepted');
  return read.problem;
}

test.each([
  [
    'set --kind openai --user mona --base-url https://models.example.com',
    {
      do: 'set',
      kind: 'openai',
      owner: { scope: 'user', text: 'mona' },
      baseUrl: 'https://models.example.com',
    },
  ],
  ['set --kind bedrock --system', { do: 'set', kind: 'bedrock', owner: { scope: 'system' } }],
  [
    'remove --kind claude-subscription --installation 42',
    { do: 'remove', kind: 'claude-subscription', owner: { scope: 'installation', text: '42' } },
  ],
  ['list', { do: 'list', json: false }],
  ['list --json', { do: 'list', json: true }],
  ['rotate', { do: 'rotate' }],
])('credentials %s', (words, action) => {
  expect(readArguments(words.split(' '))).toEqual({ ok: true, action });
});

describe('a key on the command line is not said again', () => {
  test.each([
    ['as an argument', `set --kind anthropic --system ${KEY}`, 'never given as an argument'],
    ['in an option of its own', `set --kind anthropic --system --key=${KEY}`, 'an option that is not known'],
    ['as the name of an option', `set --kind anthropic --system --${KEY}`, 'an option that is not known'],
    ['behind an option without value', `set --kind anthropic --system=${KEY}`, 'one that it does not take'],
    ['as the kind', `set --kind ${KEY} --system`, 'Say with --kind'],
    ['as the action', KEY, 'There is no such action'],
  ])('%s', (_where, words, text) => {
    expect(problemOf(words)).toContain(text);
    expect(problemOf(words)).not.toContain('c4n4ry');
  });
});

test.each([
  ['', 'Usage:'],
  ['set --kind anthropic', 'Say for whom it is'],
  ['set --kind anthropic --system --installation 42', 'one of them'],
  ['set --kind gemini --system', 'Say with --kind'],
  ['remove --kind anthropic --system --base-url https://x.example', 'knows no option --base-url'],
  ['rotate --system', 'knows no option --system'],
  ['constructor', 'There is no such action'],
])('"credentials %s" is refused with what to say', (words, text) => {
  expect(problemOf(words)).toContain(text);
});

import { describe, expect, test } from '@jest/globals';
import { admit, type Permission } from '../../src/services/access/sender.ts';

const person = { login: 'mona', isBot: false };
const bot = { login: 'renovate[bot]', isBot: true };

function asked(permission: Permission, isPrivate = false) {
  return admit(person, { permission, allowBots: ['renovate[bot]'], isPrivate });
}

describe('a person', () => {
  test.each(['write', 'maintain', 'admin'] as const)('with %s may start a spec', (permission) => {
    expect(asked(permission)).toEqual({ kind: 'admitted' });
  });

  test.each(['none', 'read', 'triage'] as const)(
    'with %s may not, and the reason names what is missing',
    (role) => {
      expect(asked(role)).toMatchObject({
        kind: 'refused',
        reason: `starting a spec needs write permission on this repository, and @mona has "${role}"`,
      });
    },
  );

  test('with a role in the repository is told, a stranger is not', () => {
    // Everybody can read a public repository, so "read" makes nobody known there.
    expect(asked('triage')).toMatchObject({ tell: true });
    expect(asked('read', true)).toMatchObject({ tell: true });
    expect(asked('read')).toMatchObject({ tell: false });
    expect(asked('none', true)).toMatchObject({ tell: false });
  });

  test('gets nothing from a list of bots that has their login', () => {
    const facts = { permission: 'read', allowBots: ['mona'], isPrivate: true } as const;
    expect(admit(person, facts).kind).toBe('refused');
  });
});

describe('a bot', () => {
  test('is refused without a comment, whatever its role', () => {
    const facts = { permission: 'admin', allowBots: ['dependabot[bot]'], isPrivate: true } as const;
    expect(admit(bot, facts)).toMatchObject({ kind: 'refused', tell: false });
  });

  test('that a setting names is admitted', () => {
    const facts = { permission: 'none', allowBots: ['renovate[bot]'], isPrivate: false } as const;
    expect(admit(bot, facts)).toEqual({ kind: 'admitted' });
  });
});

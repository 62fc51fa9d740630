import { describe, expect, test } from '@jest/globals';
import { isPublic } from '../../src/http/gateway/egress/addresses.ts';
import { isAllowed } from '../../src/services/egress/allowed.ts';

describe('what a sandbox may reach', () => {
  const rules = { registries: ['npm'], hosts: ['cdn.example.com', '*.assets.example'] } as const;

  test.each([
    ['packages.npmjs.org', 443, true],
    ['PACKAGES.npmjs.org.', 443, true],
    ['cdn.example.com', 443, true],
    ['a.assets.example', 443, true],
    ['deep.a.assets.example', 443, true],
    ['assets.example', 443, false],
    ['evil-assets.example', 443, false],
    ['cdn.example.com.evil.example', 443, false],
    ['packages.npmjs.org', 80, false],
    ['packages.npmjs.org', 22, false],
    ['pypi.org', 443, false],
    ['github.com', 443, false],
    ['93.184.216.34', 443, false],
    ['', 443, false],
  ])('%s:%d → %s', (host, port, allowed) => {
    expect(isAllowed(rules, host, port)).toBe(allowed);
  });

  test('is nothing by default', () => {
    expect(isAllowed({ registries: [], hosts: [] }, 'packages.npmjs.org', 443)).toBe(false);
  });
});

describe('an address', () => {
  test.each(['93.184.216.34', '1.1.1.1', '172.15.255.255', '2606:2800:220:1:248:1893:25c8:1946'])(
    '%s is one of the public Internet',
    (address) => expect(isPublic(address)).toBe(true),
  );

  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12:3456::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'localhost',
    '',
  ])('%s is none', (address) => expect(isPublic(address)).toBe(false));
});

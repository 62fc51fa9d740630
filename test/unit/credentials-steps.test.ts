import { describe, expect, test } from '@jest/globals';
import { configProblems, credentialsSteps } from '../../src/cli/credentials-steps.ts';
import { loadConfig } from '../../src/config.ts';

describe('the steps to App credentials', () => {
  test('name the page, every variable to set and the way to look around without an account', () => {
    const steps = credentialsSteps({ webUrl: 'https://github.com', publicUrl: null });
    for (const part of [
      'https://github.com/settings/apps/new',
      '/api/github/webhooks',
      'openssl rand -hex 32',
      'APP_ID=',
      'PRIVATE_KEY_PATH=',
      'WEBHOOK_SECRET=',
      'app.yml',
      'npm run demo',
      'smee shows payloads to a third party',
    ]) {
      expect(steps).toContain(part);
    }
  });

  test('know an Enterprise Server and the public address', () => {
    const steps = credentialsSteps({ webUrl: 'https://ghe.example.com', publicUrl: 'https://s.example.com' });
    expect(steps).toContain('https://ghe.example.com/organizations/<name>/settings/apps/new');
    expect(steps).toContain('https://s.example.com/api/github/webhooks');
    expect(steps).not.toContain('https://github.com');
  });
});

test('wrong settings are printed one by one, each with what to set', () => {
  const read = loadConfig({ APP_ID: '12', WEBHOOK_SECRET: 'development' });
  const text = configProblems(read.ok ? [] : read.problems);
  expect(text).toMatch(/^2 settings are missing or wrong/);
  expect(text).toContain(
    'WEBHOOK_SECRET is a placeholder that anybody can guess.\n    Set WEBHOOK_SECRET to at least',
  );
  expect(text).toContain('PRIVATE_KEY is not set.\n    Set PRIVATE_KEY to');
});

import { describe, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { type HealthOptions, health } from '../../src/http/health.ts';
import { createLogger } from '../../src/log.ts';

const lines: string[] = [];
const log = createLogger({
  level: 'info',
  secrets: [],
  destination: { write: (line) => void lines.push(line) },
});

async function get(path: string, options: Omit<HealthOptions, 'log'>) {
  const app = Fastify();
  await app.register(health({ ...options, log }));
  const answer = await app.inject(path);
  await app.close();
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}

const failing = async () => [
  { name: 'database', ok: true },
  { name: 'sandbox', ok: false, reason: 'user namespaces are off' },
];

describe('health', () => {
  test('live answers 200 even while nothing is ready, and looks at nothing', async () => {
    const checks = () => Promise.reject(new Error('looked'));
    expect(await get('/health/live', { checks })).toMatchObject({ status: 200, body: { status: 'live' } });
  });

  test('ready answers 200 when every check passes', async () => {
    const checks = async () => [{ name: 'database', ok: true }];
    expect(await get('/health/ready', { checks })).toMatchObject({
      status: 200,
      body: { status: 'ready', checks: [{ name: 'database', ok: true }] },
      headers: { 'cache-control': 'no-store' },
    });
  });

  test('ready answers 503 with reasons while one fails', async () => {
    expect(await get('/health/ready', { checks: failing })).toMatchObject({
      status: 503,
      body: { status: 'not ready', checks: await failing() },
    });
  });

  test('a check that throws makes it not ready, and its text goes to the log alone', async () => {
    const checks = () => Promise.reject(new Error('connect to db.internal:5432 as me:pw failed'));
    const answer = await get('/health/ready', { checks });
    expect(answer.status).toBe(503);
    expect(JSON.stringify(answer.body)).not.toContain('db.internal');
    expect(lines.at(-1)).toContain('db.internal');
  });

  test('checks that hang make it not ready in time', async () => {
    const checks = () => new Promise<never>(() => {});
    expect(await get('/health/ready', { checks, timeoutMs: 20 })).toMatchObject({ status: 503 });
  });
});

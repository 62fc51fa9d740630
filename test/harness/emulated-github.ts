import { createSign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.ts';
import { type DemoWorld, seedDemo } from '../../src/emulator/seed.ts';
import { watchConformance } from './conformance.ts';

export const WEBHOOK_SECRET = 'a-secret-of-the-emulator-tests-only-0123456789';

/** Answers and payloads are read field by field; a wrong field fails the test that reads it. */
type Parsed = ReturnType<typeof JSON.parse>;

export interface Answer {
  status: number;
  body: Parsed;
  headers: Headers;
}

export interface Received {
  event: string;
  action: string | undefined;
  headers: IncomingHttpHeaders;
  raw: Buffer;
  payload: Parsed;
}

export interface EmulatedGithub {
  emulator: Emulator;
  demo: DemoWorld;
  /** Webhooks in the order of arrival. */
  received: Received[];
  /** The receiver's answer to each webhook; 202 at first. */
  answer: { status: number };
  /** A JWT of the demo's App, or of whose key is given. */
  jwt(claims?: Record<string, unknown>, privateKey?: string): string;
  /** An installation token. */
  token(options?: Record<string, unknown>): Promise<string>;
  call(token: string | null, request: string, body?: unknown): Promise<Answer>;
  /** `issues.labeled` and the like, of what has arrived. */
  names(): string[];
  /** A fresh folder that goes with the rig. */
  folder(): Promise<string>;
  /** An address that git can clone from, with a token in it. */
  remote(token: string, repo?: string): string;
  /** @throws Error when anything did not keep to GitHub's own description. */
  close(): Promise<void>;
}

/** Starts a seeded emulator whose App's webhooks are collected. */
export async function startEmulatedGithub(options: EmulatorOptions = {}): Promise<EmulatedGithub> {
  const received: Received[] = [];
  const answer = { status: 202 };
  const receiver = await startReceiver(received, answer);
  const emulator = await startEmulator(options);
  const conformance = watchConformance(emulator, { app: 'when granted' });
  const demo = await seedDemo(emulator, { webhookSecret: WEBHOOK_SECRET, webhookUrl: receiver.url });
  const folders: string[] = [];
  const jwt = (claims = {}, privateKey = demo.app.privateKey) =>
    signJwt(privateKey, { iss: demo.app.id, ...claims });
  const call = (token: string | null, request: string, body?: unknown) =>
    callApi(emulator, { token, request, body });
  return {
    emulator,
    demo,
    received,
    answer,
    jwt,
    call,
    async token(narrowing) {
      const path = `/app/installations/${demo.installation.id}/access_tokens`;
      const minted = await call(jwt(), `POST ${path}`, narrowing);
      if (minted.status !== 201) throw new Error(`no token: ${minted.status} ${JSON.stringify(minted.body)}`);
      return String(minted.body.token);
    },
    names: () => received.map(({ event, action }) => (action ? `${event}.${action}` : event)),
    async folder() {
      const made = await mkdtemp(join(tmpdir(), 'emulator-test-'));
      folders.push(made);
      return made;
    },
    remote: (token, repo = demo.repo.fullName) =>
      `${emulator.url.replace('//', `//x-access-token:${token}@`)}/${repo}.git`,
    async close() {
      await emulator.close();
      await receiver.close();
      for (const made of folders) await rm(made, { recursive: true, force: true });
      conformance.assert();
    },
  };
}

/** Asks the emulator's GraphQL; the whole answer, errors and all. */
export async function askGraphql(
  { emulator }: Pick<EmulatedGithub, 'emulator'>,
  token: string | null,
  request: { query: string; variables?: Record<string, unknown> },
): Promise<Answer> {
  const response = await fetch(`${emulator.url}/api/graphql`, {
    method: 'POST',
    headers: token ? { authorization: `Bearer ${token}` } : {},
    body: JSON.stringify(request),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** One field of each entry of a list. */
export function pluck(list: unknown, field: string): unknown[] {
  return (list as Record<string, unknown>[]).map((entry) => entry[field]);
}

/** An RS256 JWT, valid for some minutes unless the claims say otherwise. */
export function signJwt(privateKey: string, claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const seconds = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: seconds - 30, exp: seconds + 500, ...claims })}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
}

async function callApi(
  emulator: Emulator,
  one: { token: string | null; request: string; body?: unknown },
): Promise<Answer> {
  const [method = 'GET', path = '/'] = one.request.split(' ');
  const response = await fetch(emulator.apiUrl + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(one.token ? { authorization: `Bearer ${one.token}` } : {}),
      'content-type': 'application/json',
    },
    ...(one.body === undefined ? {} : { body: JSON.stringify(one.body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

async function startReceiver(received: Received[], answer: { status: number }) {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const payload = JSON.parse(raw.toString());
      received.push({
        event: String(request.headers['x-github-event']),
        action: payload.action,
        headers: request.headers,
        raw,
        payload,
      });
      response.writeHead(answer.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/github/webhooks`, close };
}

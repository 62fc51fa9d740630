import { createHmac } from 'node:crypto';
import { type Agent, type ClientRequest, request as httpRequest } from 'node:http';
import type { App } from './state.ts';

// GitHub gives a receiver ten seconds.
const TIMEOUT_MS = 10_000;

export interface RawWebhook {
  readonly url: string;
  readonly body: string | Buffer;
  readonly headers: Record<string, string>;
}

/** The headers of a GitHub webhook, signed over the exact bytes of its body. */
export function webhookHeaders(
  app: App,
  delivery: { event: string; guid: string },
  body: string | Buffer,
): Record<string, string> {
  const mac = (algorithm: string) => createHmac(algorithm, app.webhookSecret).update(body).digest('hex');
  return {
    'content-type': 'application/json',
    accept: '*/*',
    'user-agent': 'GitHub-Hookshot/e5a8f21',
    'x-github-event': delivery.event,
    'x-github-delivery': delivery.guid,
    'x-github-hook-id': String(app.hookId),
    'x-github-hook-installation-target-type': 'integration',
    'x-github-hook-installation-target-id': String(app.id),
    'x-hub-signature': `sha1=${mac('sha1')}`,
    'x-hub-signature-256': `sha256=${mac('sha256')}`,
  };
}

/** What a receiver answered; `status` is null when nothing came in time. */
export interface Receipt {
  readonly status: number | null;
  readonly headers: Record<string, string>;
}

/** Posts one webhook. `onSend` runs just before the write. */
export function postWebhook(
  webhook: RawWebhook,
  options: { agent?: Agent; onSend?: () => void; onRequest?: (request: ClientRequest) => void } = {},
): Promise<Receipt> {
  return new Promise((resolve) => {
    const request = httpRequest(webhook.url, {
      method: 'POST',
      agent: options.agent,
      headers: { ...webhook.headers, 'content-length': Buffer.byteLength(webhook.body) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    options.onRequest?.(request);
    let receipt: Receipt = { status: null, headers: {} };
    request.on('response', (response) => {
      const headers = new Map(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
      receipt = { status: response.statusCode ?? null, headers: Object.fromEntries(headers) };
      response.resume();
    });
    request.on('error', () => undefined); // 'close' follows
    request.on('close', () => resolve(receipt));
    options.onSend?.();
    request.end(webhook.body);
  });
}

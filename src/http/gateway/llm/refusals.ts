import type { ServerResponse } from 'node:http';
import type { ModelApi } from '../../../agent/driver.ts';

/** Why the gateway itself answers a call to a model. */
export type LlmRefusal = 'budget' | 'credential' | 'request' | 'unreachable' | 'stale';

interface Shape {
  readonly status: number;
  /** The provider's own name for it. */
  readonly anthropic: string;
  readonly openai: string;
}

/** Statuses that an agent does not try again, where trying again can't help. */
const shapes: Readonly<Record<LlmRefusal, Shape>> = {
  budget: { status: 403, anthropic: 'billing_error', openai: 'insufficient_quota' },
  credential: { status: 403, anthropic: 'permission_error', openai: 'invalid_api_key' },
  request: { status: 400, anthropic: 'invalid_request_error', openai: 'invalid_request_error' },
  unreachable: { status: 502, anthropic: 'api_error', openai: 'server_error' },
  stale: { status: 410, anthropic: 'not_found_error', openai: 'invalid_request_error' },
};

/** Answers in the shape that the provider would have used, so that every agent can read it. */
export function refuseAs(
  api: ModelApi,
  raw: ServerResponse,
  refusal: { readonly why: LlmRefusal; readonly text: string },
): void {
  const { status, anthropic, openai } = shapes[refusal.why];
  const message = `Specwright: ${refusal.text}`;
  const body =
    api === 'openai'
      ? { error: { message, type: openai, param: null, code: openai } }
      : { type: 'error', error: { type: anthropic, message } };
  raw.writeHead(status, {
    'content-type': 'application/json',
    // Both providers' own clients obey this, whatever the status.
    'x-should-retry': refusal.why === 'unreachable' ? 'true' : 'false',
    ...(raw.req.complete ? {} : { connection: 'close' }),
  });
  raw.end(JSON.stringify(body));
}

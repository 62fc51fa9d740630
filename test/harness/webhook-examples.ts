import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';

export interface ExampleDelivery {
  name: string;
  payload: Record<string, unknown>;
}

const sources = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'];

/** Every payload of `@octokit/webhooks-examples`: github.com and five versions of GitHub Enterprise Server. */
export function exampleDeliveries(): ExampleDelivery[] {
  const require = createRequire(import.meta.url);
  return sources.flatMap((source) => {
    const events = require(`@octokit/webhooks-examples/${source}/index.json`) as {
      name: string;
      examples: Record<string, unknown>[];
    }[];
    return events.flatMap(({ name, examples }) => examples.map((payload) => ({ name, payload })));
  });
}

/** The value of `X-Hub-Signature-256` for a body. */
export function sign(body: string | Buffer, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Posts a webhook as GitHub does and answers the status. */
export async function signedPost(
  url: string,
  secret: string,
  delivery: { guid: string; event: string; body: string | Buffer; headers?: Record<string, string> },
): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    body: typeof delivery.body === 'string' ? delivery.body : new Uint8Array(delivery.body),
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/test',
      'x-github-delivery': delivery.guid,
      'x-github-event': delivery.event,
      'x-hub-signature-256': sign(delivery.body, secret),
      ...delivery.headers,
    },
  });
  await response.text();
  return response.status;
}

import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** Of one connection, and none of the next. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Whatever a sandbox calls its key is replaced; a compressed reply could not be metered. */
const NOT_FROM_SANDBOX: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'accept-encoding',
  'api-key',
  'authorization',
  'content-length',
  'cookie',
  'expect',
  'forwarded',
  'host',
  'openai-organization',
  'openai-project',
  'x-api-key',
  'x-goog-api-key',
  'x-sandbox-generation',
]);

/** Whose key it is and which cookies its owner has are nothing for a sandbox. */
const NOT_FROM_PROVIDER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'anthropic-organization-id',
  'openai-organization',
  'openai-project',
  'set-cookie',
]);

/** What is passed on to the provider: everything, known or not, but credentials and what belongs to a connection. */
export function headersForProvider(from: IncomingHttpHeaders): OutgoingHttpHeaders {
  const passed = Object.entries(from).filter(
    ([name]) => !NOT_FROM_SANDBOX.has(name) && !/^x-(?:amz|forwarded|real-ip)/.test(name),
  );
  return { ...Object.fromEntries(passed), 'accept-encoding': 'identity' };
}

/** What is passed back to the sandbox. */
export function headersForSandbox(from: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !NOT_FROM_PROVIDER.has(name)));
}

import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { ModelApi } from '../../../agent/driver.ts';
import { messageOf } from '../../../errors.ts';
import type { ModelBackend, OpenedCall } from '../backend.ts';
import { sandboxOf } from '../identity.ts';
import { refuse } from '../refuse.ts';
import { type Connections, createConnections, forward } from './forward.ts';
import { refuseAs } from './refusals.ts';
import { type ModelRequest, readRequest } from './request.ts';

/** The largest request that a provider takes. https://docs.claude.com/en/api/overview#request-size-limits */
const BODY_BYTES = 32 * 1024 * 1024;

const apis: readonly string[] = ['anthropic', 'openai', 'bedrock', 'vertex'] satisfies ModelApi[];

interface Named {
  Params: { generation: string; api: string; '*': string };
}

/**
 * Calls to model providers, below `/{generation}/{api}`: bodies, headers and streams pass as they are, the credential
 * is added on this side, and what a call costs is reserved before it is sent.
 */
export function llmRoutes(backend: ModelBackend): FastifyPluginAsync {
  return async (app) => {
    const connections = createConnections();
    app.addHook('onClose', async () => connections.close());
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    app.all<Named>('/:generation/:api/*', { bodyLimit: BODY_BYTES }, (request, reply) =>
      isApi(request.params.api)
        ? serve({ request, reply, api: request.params.api, backend, connections })
        : refuse(request, reply, 'no_route'),
    );
  };
}

function isApi(name: string): name is ModelApi {
  return apis.includes(name);
}

interface Serving {
  readonly request: FastifyRequest<Named>;
  readonly reply: FastifyReply;
  readonly api: ModelApi;
  readonly backend: ModelBackend;
  readonly connections: Connections;
}

async function serve(serving: Serving): Promise<FastifyReply> {
  const { request, reply, api, backend, connections } = serving;
  const { raw } = reply;
  const path = pathOf(request);
  // A reachability check of an agent's at its start: it asks the gateway, and not the provider.
  if (request.method === 'HEAD') return reply.code(200).send();
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const asked = readRequest(api, {
    method: request.method,
    path: path.split('?')[0] ?? '',
    body,
    encoding: request.headers['content-encoding'],
  });
  reply.hijack();
  if (asked.kind === 'refused') {
    refuseAs(api, raw, { why: 'request', text: asked.reason });
    return reply;
  }
  const gone = new AbortController();
  raw.once('close', () => gone.abort());
  const caller = { inputBytes: body.length, signal: gone.signal };
  const opened = await open(serving, asked, caller).catch((error: unknown) => {
    request.log.error({ error: messageOf(error) }, 'call to a model could not be opened');
    return null;
  });
  if (opened?.kind !== 'open') {
    refuseAs(
      api,
      raw,
      opened ?? { why: 'unreachable', text: 'the budget cannot be read right now, try again' },
    );
    return reply;
  }
  const { target } = opened;
  const end = await forward({ api, path, incoming: request.raw, body, raw, target, connections });
  if (asked.kind === 'billed') await backend.settle(opened.id, end);
  return reply;
}

/** The provider's own path with its query, as it came: written anew it might not be what the agent meant. */
function pathOf(request: FastifyRequest<Named>): string {
  return /\/llm\/\d+\/\w+(\/.*)$/.exec(request.url)?.[1] ?? '/';
}

async function open(
  { request, api, backend }: Serving,
  asked: Exclude<ModelRequest, { kind: 'refused' }>,
  caller: { inputBytes: number; signal: AbortSignal },
): Promise<OpenedCall> {
  const identity = sandboxOf(request);
  if (asked.kind === 'free') return backend.targetFor(identity, api);
  const { model, maxOutputTokens } = asked;
  return backend.open(identity, { api, model, maxOutputTokens, ...caller });
}

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { ModelApi } from '../../../agent/driver.ts';

/** What an agent asks of a model provider, as far as it decides whether and at what price it is passed on. */
export type ModelRequest =
  | {
      readonly kind: 'billed';
      readonly model: string;
      /** As the request allows; null where it names no bound. */
      readonly maxOutputTokens: number | null;
    }
  /** Costs nothing: a list of models, a count of tokens. */
  | { readonly kind: 'free' }
  /** `reason` is a sentence for the agent's log. */
  | { readonly kind: 'refused'; readonly reason: string };

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly billed: boolean;
}

const id = '[A-Za-z0-9._:@%/-]{1,200}';

/**
 * All that may be asked. Files, batches, fine-tuning and administration of the same key are another matter: what an
 * agent needs is a model that answers while it waits.
 */
const routes: Readonly<Record<ModelApi, readonly Route[]>> = {
  anthropic: [
    { method: 'POST', path: /^\/v1\/messages$/, billed: true },
    { method: 'POST', path: /^\/v1\/messages\/count_tokens$/, billed: false },
    { method: 'GET', path: new RegExp(`^/v1/models(?:/${id})?$`), billed: false },
  ],
  openai: [
    { method: 'POST', path: /^\/v1\/(?:responses|chat\/completions)$/, billed: true },
    { method: 'GET', path: new RegExp(`^/v1/models(?:/${id})?$`), billed: false },
  ],
  bedrock: [
    { method: 'POST', path: new RegExp(`^/model/${id}/invoke(?:-with-response-stream)?$`), billed: true },
    { method: 'POST', path: new RegExp(`^/model/${id}/count-tokens$`), billed: false },
  ],
  vertex: [
    {
      method: 'POST',
      path: new RegExp(`^/(?:v1/)?projects/${id}/models/${id}:(?:streamRawPredict|rawPredict)$`),
      billed: true,
    },
    {
      method: 'POST',
      path: new RegExp(`^/(?:v1/)?projects/${id}/models/count-tokens:rawPredict$`),
      billed: false,
    },
  ],
};

/** Decides by path and body what a request is. `path` is the provider's own, without its query. */
export function readRequest(
  api: ModelApi,
  request: {
    readonly method: string;
    readonly path: string;
    readonly body: Buffer;
    /** The request's content-encoding: some agents pack what they send. */
    readonly encoding?: string | undefined;
  },
): ModelRequest {
  // A free route may look like a billed one, so it is looked for first.
  const matching = routes[api].filter(
    ({ method, path }) => method === request.method && path.test(request.path),
  );
  const route = matching.find(({ billed }) => !billed) ?? matching[0];
  if (!route) return { kind: 'refused', reason: 'this gateway passes on calls to models, and nothing else' };
  if (!route.billed) return { kind: 'free' };
  const body = parse(request.body, request.encoding);
  if (!body) return { kind: 'refused', reason: 'the body is no JSON object' };
  const model = nameOf(api, request.path) ?? body.model;
  if (typeof model !== 'string' || model === '' || model.length > 200) {
    return { kind: 'refused', reason: 'the body names no model' };
  }
  const outside = reachesOut(body);
  if (outside) return { kind: 'refused', reason: outside };
  return { kind: 'billed', model, maxOutputTokens: boundOf(body) };
}

/** Bedrock and Vertex name the model in the path. */
function nameOf(api: ModelApi, path: string): string | undefined {
  const found = api === 'bedrock' ? /^\/model\/([^/]+)\// : api === 'vertex' ? /\/models\/([^/:]+):/ : null;
  const name = found?.exec(path)?.[1];
  return name === undefined ? undefined : decoded(name);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** Tools that the provider runs on its own machines: they would reach hosts that the sandbox may not. */
const OUTSIDE_TOOLS =
  /^(?:web_search|web_fetch|code_execution|mcp|mcp_toolset|code_interpreter|file_search|computer_use_preview|image_generation|hosted_shell)(?:$|_)/;

function reachesOut(body: Body): string | null {
  if (body.background === true) return 'background responses cannot be metered';
  if (Array.isArray(body.mcp_servers) && body.mcp_servers.length > 0) {
    return 'MCP servers that the provider calls would reach hosts that the sandbox may not';
  }
  const tools = Array.isArray(body.tools) ? (body.tools as readonly unknown[]) : [];
  const types = tools.flatMap((tool) => (isGroup(tool) && typeof tool.type === 'string' ? tool.type : []));
  const outside = types.find((type) => OUTSIDE_TOOLS.test(type));
  return outside === undefined
    ? null
    : `the tool ${outside} runs at the provider and would reach hosts that the sandbox may not; switch it off`;
}

function boundOf(body: Body): number | null {
  const bounds = [body.max_tokens, body.max_output_tokens, body.max_completion_tokens];
  const named = bounds.filter((bound) => typeof bound === 'number' && Number.isFinite(bound) && bound > 0);
  return named.length === 0 ? null : Math.ceil(Math.max(...(named as number[])));
}

type Body = Readonly<Record<string, unknown>>;

function isGroup(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(body: Buffer, encoding: string | undefined): Body | null {
  try {
    const value: unknown = JSON.parse(unpacked(body, encoding).toString('utf8'));
    return isGroup(value) ? value : null;
  } catch {
    return null;
  }
}

/** Against a few bytes that unfold to gigabytes. */
const MOST = { maxOutputLength: 64 * 1024 * 1024 };

function unpacked(body: Buffer, encoding: string | undefined): Buffer {
  switch (encoding) {
    case 'gzip':
      return gunzipSync(body, MOST);
    case 'zstd':
      return zstdDecompressSync(body, MOST);
    case 'br':
      return brotliDecompressSync(body, MOST);
    default:
      return body;
  }
}

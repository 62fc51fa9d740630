import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';

/** Silence of the host after which a request is given up, milliseconds. */
const IDLE_MS = 120_000;
/** A user agent that git would send; hosts tell git from browsers by it. */
const GIT_AGENT = /^git\/[\w. ()-]{1,60}$/;
const PROTOCOL = /^[\w=:.-]{1,100}$/;

export interface UpstreamRequest {
  /** The repository's address, without a credential. */
  readonly gitUrl: string;
  /** Below the repository, with its query: one of a fixed few. */
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly authorization: string;
  /** What the client sent: a few harmless headers are passed on, its own authorization is not. */
  readonly from: IncomingHttpHeaders;
  readonly headers?: Readonly<Record<string, string>>;
  readonly agent: Upstream['agents'] | null;
}

export interface Upstream {
  readonly agents: { readonly http: http.Agent; readonly https: https.Agent };
  close(): void;
}

/** Kept connections to the host: a TLS handshake for each of git's three requests would double a fetch's time. */
export function createUpstream(): Upstream {
  const agents = {
    http: new http.Agent({ keepAlive: true }),
    https: new https.Agent({ keepAlive: true }),
  };
  return {
    agents,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** Begins a request to the git host; the caller sends the body and awaits `responseOf`. */
export function openUpstream(request: UpstreamRequest): ClientRequest {
  const url = new URL(request.gitUrl.replace(/\/$/, '') + request.path);
  const secure = url.protocol === 'https:';
  const outgoing = (secure ? https : http).request(url, {
    method: request.method,
    // `false` is a connection of its own, closed after the reply.
    agent: request.agent ? request.agent[secure ? 'https' : 'http'] : false,
    timeout: IDLE_MS,
    headers: { ...passedOn(request.from), ...request.headers, authorization: request.authorization },
  });
  outgoing.on('timeout', () => outgoing.destroy(new Error('the git host was silent for too long')));
  return outgoing;
}

/** The reply to a request. @throws Error of the connection */
export function responseOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    // It stays for as long as the request: an error after the reply has begun must not end the process.
    outgoing.on('error', reject);
  });
}

function passedOn(from: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  const agent = from['user-agent'] ?? '';
  headers['user-agent'] = GIT_AGENT.test(agent) ? agent : 'git/2.39.0';
  const protocol = from['git-protocol'];
  if (typeof protocol === 'string' && PROTOCOL.test(protocol)) headers['git-protocol'] = protocol;
  return headers;
}

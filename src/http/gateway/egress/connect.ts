import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { EgressBackend, GatewayBackend, SandboxIdentity } from '../backend.ts';
import { resolveHost } from './addresses.ts';

const DIAL_MS = 10_000;
/** Silence after which a tunnel is closed. */
const IDLE_MS = 120_000;
const HEADERS_END = '\r\n\r\n';

const ANSWERS = {
  open: 'HTTP/1.1 200 Connection Established',
  unreadable: 'HTTP/1.1 400 Bad Request',
  refused: 'HTTP/1.1 403 Forbidden',
  who: 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="specwright"',
  stale: 'HTTP/1.1 410 Gone',
  away: 'HTTP/1.1 502 Bad Gateway',
} as const;

/** The part of the gateway that decides about tunnels. */
export type TunnelBackend = Pick<GatewayBackend, 'identify'> & { readonly egress: EgressBackend };

/**
 * `CONNECT host:port`: opens a tunnel to a host that the settings allow. Who asks is known by the socket; the
 * generation stands where a proxy's user name does. Never throws: what goes wrong closes the tunnel.
 */
export async function serveConnect(
  backend: TunnelBackend,
  sandboxId: string,
  { request, socket, head }: { request: IncomingMessage; socket: Socket; head: Buffer },
): Promise<void> {
  // A sandbox that goes away is no error of ours, and the tunnel's own end is told by its pipeline.
  socket.on('error', () => socket.destroy());
  try {
    const answer = await open(backend, sandboxId, request);
    if (typeof answer === 'string') return refuse(socket, answer);
    tunnel(socket, answer, head);
  } catch {
    refuse(socket, 'away');
  }
}

/** What the other side still sends is read and dropped: unread, its end would not be seen, and the place stay taken. */
function refuse(socket: Socket, why: Refusal): void {
  socket.resume();
  socket.end(ANSWERS[why] + HEADERS_END);
}

/** A request to a proxy that is not TLS: refused and counted, since anybody on its way could read and change it. */
export async function refusePlain(
  backend: TunnelBackend,
  sandboxId: string,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  response.on('error', () => response.destroy());
  response.writeHead(403, { 'content-type': 'text/plain', connection: 'close' });
  response.end('this sandbox reaches other hosts by TLS only\n');
  const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : null;
  const generation = generationOf(request.headers['proxy-authorization']);
  if (url === null || generation === null) return;
  try {
    const found = await backend.identify({ sandboxId }, generation);
    const target = { host: url.hostname, port: Number(url.port) || 80 };
    if (found.kind === 'ok') await backend.egress.judge(found.identity, target);
  } catch {
    // It was refused; that it could not be counted changes nothing for anybody.
  }
}

type Refusal = Exclude<keyof typeof ANSWERS, 'open'>;

async function open(
  backend: TunnelBackend,
  sandboxId: string,
  request: IncomingMessage,
): Promise<Socket | Refusal> {
  const target = targetOf(request.url ?? '');
  if (!target) return 'unreadable';
  const generation = generationOf(request.headers['proxy-authorization']);
  if (generation === null) return 'who';
  const found = await backend.identify({ sandboxId }, generation);
  if (found.kind !== 'ok') return found.kind === 'stale' ? 'stale' : 'who';
  return reach(backend.egress, found.identity, target);
}

async function reach(
  egress: EgressBackend,
  identity: SandboxIdentity,
  target: { host: string; port: number },
): Promise<Socket | Refusal> {
  const judged = await egress.judge(identity, target);
  if (!judged.allowed) return 'refused';
  const resolved = await resolveHost(target.host, judged.trusted);
  if (resolved.kind !== 'found') {
    await egress.noteRefused(identity, target, resolved.kind);
    return 'refused';
  }
  return (await dial(resolved.address, target.port)) ?? 'away';
}

/** "host:port", with an IPv6 address in brackets; null for anything else. */
function targetOf(authority: string): { host: string; port: number } | null {
  const found = /^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/.exec(authority);
  if (!found) return null;
  const port = Number(found[2]);
  return port >= 1 && port <= 65_535 ? { host: found[1]!.replace(/^\[|\]$/g, '').toLowerCase(), port } : null;
}

function generationOf(header: string | undefined): number | null {
  const credentials = /^Basic ([A-Za-z0-9+/=]{1,200})$/i.exec(header ?? '')?.[1];
  const user =
    Buffer.from(credentials ?? '', 'base64')
      .toString('utf8')
      .split(':')[0] ?? '';
  return /^[1-9]\d{0,8}$/.test(user) ? Number(user) : null;
}

function dial(address: string, port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    socket.setTimeout(DIAL_MS, () => socket.destroy(new Error('the host did not answer in time')));
    socket.once('connect', () => resolve(socket));
    // After the tunnel stands it is the pipeline that hears of errors.
    socket.on('error', () => resolve(null));
  });
}

function tunnel(inside: Socket, outside: Socket, head: Buffer): void {
  const end = (): void => {
    inside.destroy();
    outside.destroy();
  };
  for (const socket of [inside, outside]) socket.setTimeout(IDLE_MS, end);
  inside.write(ANSWERS.open + HEADERS_END);
  if (head.length > 0) outside.write(head);
  pipeline(inside, outside, () => {});
  pipeline(outside, inside, () => {});
}

import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { startBridge } from '../../src/runner/bridge.ts';
import { gitIn, REPOSITORY, type Rig } from './gateway-rig.ts';
import { type GitOutcome, runGit } from './git-command.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** What is sent to an address under the repository's. */
export interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
}

/** A clone that was made through the gateway, as one in a sandbox is. */
export interface GatewayClone {
  /** The gateway's, as a sandbox sees it. */
  readonly gatewayUrl: string;
  /** The repository's. */
  readonly url: string;
  readonly folder: string;
  git(...args: string[]): Promise<GitOutcome>;
  /** Writes a file, commits it and answers the SHA. @throws Error when git refuses. */
  commit(name: string, content?: string | Buffer): Promise<string>;
  send(request: Sent): Promise<Answer>;
  /** Sends the body of a push. */
  push(body: Buffer, headers?: Record<string, string>): Promise<Answer>;
}

const GENERATION = 'x-sandbox-generation';

/** Clones the repository of a rig into a folder of the rig's. @throws Error when git refuses. */
export async function cloneThroughGateway(rig: Rig): Promise<GatewayClone> {
  const gatewayUrl = await startBridge({ kind: 'socket', path: rig.socketPath });
  const url = `${gatewayUrl}/git/${REPOSITORY}.git`;
  const folder = join(rig.root, 'clone');
  mkdirSync(folder);
  const git = (...args: string[]) => runGit(folder, args, { 'http.extraHeader': `${GENERATION}: 1` });
  const sound = async (...args: string[]) => {
    const { code, output } = await git(...args);
    if (code !== 0) throw new Error(output);
  };
  await sound('clone', '--quiet', '--filter=blob:none', url, '.');
  const send = (request: Sent) => sendTo(url, request);
  return {
    gatewayUrl,
    url,
    folder,
    git,
    send,
    async commit(name, content = name) {
      writeFileSync(join(folder, name), content);
      await sound('add', '-A');
      await sound('commit', '--quiet', '-m', name);
      return gitIn(folder, 'rev-parse', 'HEAD');
    },
    push: (body, more = {}) =>
      send({
        method: 'POST',
        path: '/git-receive-pack',
        headers: { 'content-type': 'application/x-git-receive-pack-request', ...more },
        body,
      }),
  };
}

function sendTo(url: string, { method, path, headers, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}${path}`, {
      method,
      agent: false,
      headers: {
        [GENERATION]: '1',
        ...(body && { 'content-length': String(body.length) }),
        ...headers,
      },
    });
    request.once('error', reject);
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
      );
    });
    request.end(body);
  });
}

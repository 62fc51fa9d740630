import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GitRequestSeen {
  method: string;
  url: string;
  authorization: string | undefined;
  contentEncoding: string | undefined;
}

export interface GitServer {
  url: string;
  seen: GitRequestSeen[];
  /** Answers this request itself when it returns true. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  close(): Promise<void>;
}

/** Real git over smart HTTP: `git http-backend` over the bare repositories below `root`; only `authorization` may. */
export async function startGitServer(root: string, authorization: string): Promise<GitServer> {
  const backend = `${execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()}/git-http-backend`;
  const git: GitServer = { url: '', seen: [], intercept: null, close: async () => {} };
  const server = http.createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    git.seen.push({
      method,
      url,
      authorization: headers.authorization,
      contentEncoding: headers['content-encoding'],
    });
    if (git.intercept?.(request, response)) return;
    if (headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end('no\n');
      return;
    }
    const { pathname, search } = new URL(url, 'http://localhost');
    const cgi = spawn(backend, [], {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_CONFIG_NOSYSTEM: '1',
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: method,
        CONTENT_TYPE: headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
        REMOTE_USER: 'app',
        ...(headers['content-length'] ? { CONTENT_LENGTH: headers['content-length'] } : {}),
      },
    });
    cgi.stdin.on('error', () => {});
    request.pipe(cgi.stdin);
    // A body that breaks off must not leave git waiting for the rest.
    request.once('close', () => cgi.stdin.end());
    relay(cgi, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  git.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  git.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return git;
}

/** Turns a CGI answer (headers, empty line, body) into an HTTP one. */
function relay(cgi: ChildProcess, response: ServerResponse): void {
  let head: Buffer | null = Buffer.alloc(0);
  cgi.stdout?.on('data', (chunk: Buffer) => {
    if (head === null) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    let status = 200;
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2);
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
    head = null;
  });
  cgi.stdout?.on('end', () => response.end());
}

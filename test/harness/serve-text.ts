import { createServer } from 'node:net';

/** Answers every connection with `text`. */
export function serveText(path: string, text: string): Promise<{ close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end(text));
    server.once('error', reject);
    server.listen(path, () => resolve({ close: () => new Promise((done) => server.close(() => done())) }));
  });
}

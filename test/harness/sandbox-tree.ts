import { readFileSync } from 'node:fs';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { basename } from 'node:path';
import { allProcesses, descendants } from '../../src/sandbox/local/tree.ts';
import type { ServeGateway } from '../../src/services/deps.ts';

/** Programs of this process's sandboxes on the host, by what they are. */
export interface SandboxTree {
  /** Everything of the sandboxes, the programs that entered them included. */
  readonly all: readonly number[];
  /** The first process inside. */
  readonly first: number | undefined;
  readonly runner: number | undefined;
  readonly agent: number | undefined;
}

/** The processes of this process's sandboxes now; of the newest one where there are several. */
export function sandboxTree(): SandboxTree {
  const own = descendants(allProcesses(), [process.pid]).map((entry) => ({
    ...entry,
    argv: argumentsOf(entry.pid),
  }));
  const entrances = own.filter(({ argv }) => ['unshare', 'nsenter'].includes(basename(argv[0] ?? '')));
  const inside = descendants(
    own,
    entrances.map(({ pid }) => pid),
  ).map(({ pid }) => pid);
  const outer = entrances.findLast(({ argv }) => basename(argv[0] ?? '') === 'unshare');
  const running = (file: string) =>
    own.findLast(({ argv }) => basename(argv[0] ?? '') === 'node' && basename(argv[1] ?? '') === file)?.pid;
  return {
    all: inside,
    first: own.findLast(({ parent }) => parent === outer?.pid)?.pid,
    runner: running('runner.mjs'),
    agent: running('scripted-agent.mjs'),
  };
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // It ended while the list was read.
  }
}

/** Whether a process is there and is more than a zombie. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export interface Cable {
  /** What the App is given to serve gateways with. */
  readonly serve: ServeGateway;
  /** From now on nothing comes through to gateways that are served now: no answer, no refusal. */
  cut(): void;
}

/** A cable between each sandbox and its gateway that can be cut: what is sent then is swallowed. */
export function layCable(serve: ServeGateway): Cable {
  const ends = new Set<{ dead: boolean; sockets: Set<Socket> }>();
  return {
    cut() {
      for (const end of ends) {
        end.dead = true;
        for (const socket of end.sockets) socket.unpipe().pause();
      }
    },
    async serve(path, sandboxId) {
      const served = await serve(`${path}r`, sandboxId);
      const end = { dead: false, sockets: new Set<Socket>() };
      ends.add(end);
      const server = await listen(path, (client) => {
        client.on('error', () => {});
        end.sockets.add(client);
        if (end.dead) return;
        const gateway = dial({ path: `${path}r`, allowHalfOpen: true });
        end.sockets.add(gateway);
        gateway.on('error', () => client.destroy());
        client.pipe(gateway).pipe(client);
      });
      return {
        async close() {
          for (const socket of end.sockets) socket.destroy();
          await new Promise((done) => server.close(done));
          await served.close();
        },
      };
    },
  };
}

function listen(path: string, onClient: (client: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true }, onClient);
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

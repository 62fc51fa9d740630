// Race ledger
// - Two processes create the cluster at once → each builds a draft, rename lets the first one win, the other drops its
//   draft and adopts (test: "two starts at once share one server").
// - Two processes launch at once → PostgreSQL's own pid file lets one through; the other sees it and adopts.
// - The free port is taken before the server binds it → launch says "look again", the next round takes another port.
// - kill -9 of the app → the server lives on in its own process group; the next start adopts it (test).
// - kill -9 of the server → its pid file is stale; PostgreSQL recovers; sessions that are still ending delay it (test).
// - A stale pid file names somebody else's process → it is no PostgreSQL, so the file is removed.
// - One of two users stops → the server stays while another live process has a file in users/ (test). Both stopping in
//   the same instant may each see the other and leave it running: the next start adopts it.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FatalError } from '../../errors.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { type Cluster, openCluster, reachableFolder, USER } from './cluster.ts';
import { type Identity, serverIdentity } from './identity.ts';
import { isAlive, isPostgres, launch, readPostmaster, signalPostmaster, waitForExit } from './postmaster.ts';
import { startWatchdog } from './watchdog.ts';

export interface EmbeddedOptions {
  /** Folder for the cluster; created if missing. */
  dataDir: string;
  /** False (tests, demos) gives up safety against power loss for speed. Default true. */
  durable?: boolean;
  /** Stops the server when this process ends, however it ends. Default false: a killed app finds its server again. */
  dieWithParent?: boolean;
  /** Removes `dataDir` after the stop. Default false. */
  removeOnStop?: boolean;
  log?: (message: string) => void;
}

export interface EmbeddedPostgres {
  /** Connection string of the superuser, with the password. */
  url: string;
  port: number;
  pid: number;
  /** True if the server was running already. */
  adopted: boolean;
  /** Folder that is really used; differs from `dataDir` where the server's user can't reach that. */
  folder: string;
  /** Ends all sessions and stops the server, unless another process still uses it. */
  stop(): Promise<void>;
}

interface Server {
  binaries: Binaries;
  identity: Identity;
  durable: boolean;
}

/**
 * Starts a real PostgreSQL from npm on a free port of 127.0.0.1, or adopts the one that already runs on `dataDir`.
 * Throws a UserError if the platform has none or the folder can't be used, a FatalError if it does not start.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const identity = serverIdentity();
  const server: Server = {
    identity,
    durable: options.durable ?? true,
    binaries: await findBinaries(identity),
  };
  const { folder, blockedBy } = await reachableFolder(options.dataDir, identity);
  if (blockedBy) {
    options.log?.(
      `embedded PostgreSQL keeps its data in ${folder}: its user can't pass through ${blockedBy}`,
    );
  }
  const cluster = await openCluster(folder, server);
  const { postmaster, adopted } = await findOrLaunch(cluster, server);
  const leave = await signIn(cluster);
  const remove = options.removeOnStop ? folder : undefined;
  const release = options.dieWithParent
    ? startWatchdog({
        ...server,
        data: cluster.data,
        pid: postmaster.pid,
        users: usersOf(cluster),
        app: process.pid,
        remove,
      })
    : undefined;
  return {
    url: `postgres://${USER}:${cluster.password}@127.0.0.1:${postmaster.port}/postgres`,
    port: postmaster.port,
    pid: postmaster.pid,
    adopted,
    folder,
    async stop() {
      const othersLeft = await leave();
      if (!othersLeft) await stopServer(postmaster.pid, server);
      await release?.();
      if (remove && !othersLeft) await rm(remove, { recursive: true, force: true });
    },
  };
}

const START_LIMIT_MS = 30_000;

async function findOrLaunch(cluster: Cluster, server: Server) {
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end; await delay(10)) {
    const found = await readPostmaster(cluster.data);
    if (found && (await isPostgres(found.pid))) {
      if (found.ready) return { postmaster: found, adopted: true };
      continue;
    }
    if (found) await rm(join(cluster.data, 'postmaster.pid'), { force: true });
    const postmaster = await launch(cluster.folder, server);
    if (postmaster) return { postmaster, adopted: false };
  }
  throw new FatalError(
    `the embedded PostgreSQL in ${cluster.folder} was not ready within ${START_LIMIT_MS / 1000} s`,
  );
}

const usersOf = (cluster: Cluster) => join(cluster.folder, 'users');

/** Notes this process as a user of the server; the returned function takes that back and says if others are left. */
async function signIn(cluster: Cluster): Promise<() => Promise<boolean>> {
  const users = usersOf(cluster);
  const own = join(users, String(process.pid));
  await mkdir(users, { recursive: true });
  await writeFile(own, '');
  return async () => {
    await rm(own, { force: true });
    const others = await readdir(users);
    return others.some((name) => isAlive(Number(name)));
  };
}

const STOP_LIMIT_MS = 20_000;

async function stopServer(pid: number, server: Server): Promise<void> {
  if (!isAlive(pid)) return;
  await signalPostmaster(pid, 'INT', server);
  if (await waitForExit(pid, STOP_LIMIT_MS)) return;
  await signalPostmaster(pid, 'QUIT', server);
  await waitForExit(pid, 5_000);
}

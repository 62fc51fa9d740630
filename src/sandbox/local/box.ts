import type { ChildProcess } from 'node:child_process';
import type { ProbeResult, SandboxCapabilities, SandboxLimits, SandboxPaths } from '../provider.ts';
import type { Cgroup } from './cgroups.ts';

/** What the provider writes to its log; pino's shape. Never a payload, argument or environment. */
export interface SandboxLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A uid (and the gid of the same number) that no other sandbox of this machine has. */
export interface Account {
  readonly uid: number;
  release(): Promise<void>;
}

/** One sandbox as this process keeps it. */
export interface Box {
  readonly id: string;
  /** Folder name, cgroup name and the provider's own name of the instance. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly folders: BoxFolders;
  /** Null where this process cannot change its uid. */
  readonly account: Account | null;
  readonly cgroup: Cgroup | null;
  readonly disk: DiskMark;
  readonly createdAt: Date;
  /** Every program that runs in it now, by the process that we started for it. */
  readonly children: Set<ChildProcess>;
  gateway: { close(): Promise<void> } | null;
  state: 'running' | 'stopped' | 'gone';
  /** Lifecycle calls of one sandbox take turns: each waits for this. */
  turn: Promise<unknown>;
}

/** Where a sandbox's things are on the host. */
export interface BoxFolders {
  readonly base: string;
  readonly workspace: string;
  readonly home: string;
  readonly tools: string;
  /** Short and private: it holds the folder of the socket. */
  readonly socketBase: string;
  readonly socket: string;
}

/** The last measurement of the sandbox's disk use, so that an unchanged disk is not measured again. */
export interface DiskMark {
  usedBytes: number;
  freeBytes: number;
  /** On the monotonic clock, milliseconds. */
  measuredAt: number;
  costMs: number;
}

/** One program to start; `stdin` as bytes or nothing. */
export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: Uint8Array | string | undefined;
}

/** How processes get into a sandbox: by namespaces, or (unsafe) not at all. */
export interface Engine {
  readonly capabilities: SandboxCapabilities;
  /** Folder below which sandbox folders are made. */
  readonly base: string;
  /** Finds the tools of this machine and builds what all sandboxes share. Repeated calls are cheap. */
  prepare(): Promise<ProbeResult>;
  paths(box: Box): SandboxPaths;
  claimAccount(): Promise<Account | null>;
  makeCgroup(name: string, limits: SandboxLimits): Cgroup | null;
  /** Makes the sandbox able to run programs. `ended` is called when it stops being so by itself. */
  enter(box: Box, ended: () => void): Promise<void>;
  /** Ends every process; resolves when all are gone. */
  leave(box: Box): Promise<void>;
  launch(box: Box, launch: Launch): ChildProcess;
  /** The process on the host from which all of the sandbox's orphans descend, where there is one. */
  firstPid(box: Box): number | null;
  /** Removes control groups of dead owners; answers the names of those that resist. */
  sweep(): Promise<string[]>;
  close(): Promise<void>;
}

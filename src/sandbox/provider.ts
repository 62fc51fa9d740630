/**
 * What a sandbox provider can do. A provider is one file (or folder) in this directory that passes the
 * provider contract tests; services know only these types.
 */

/** Bounds of one sandbox. Sizes in MiB. */
export interface SandboxLimits {
  readonly memoryMb: number;
  /** CPU share in whole or part cores. */
  readonly cpus: number;
  readonly processes: number;
  /** Everything the sandbox may keep on disk below its workspace. */
  readonly diskMb: number;
}

/** A file laid into the sandbox read-only before its first command. */
export interface SandboxFile {
  /** Absolute path below /opt/specwright. */
  readonly path: string;
  readonly content: Uint8Array | string;
}

/** What to create. `id` is our row's id and becomes the provider's label, so an instance is found again after a crash. */
export interface SandboxRequest {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  readonly files: readonly SandboxFile[];
  /**
   * Serves the gateway on a Unix socket that only this sandbox can reach. Providers with
   * `capabilities.gatewaySocket` call it once before the sandbox runs anything and close it on destroy.
   */
  serveGateway(socketPath: string): Promise<{ close(): Promise<void> }>;
}

export type SandboxState = 'running' | 'stopped' | 'gone';

/** One instance as the provider knows it. */
export interface SandboxInstance {
  readonly id: string;
  /** The provider's own name of the instance. */
  readonly externalId: string;
  readonly state: SandboxState;
  readonly labels: Readonly<Record<string, string>>;
  /** By the provider's clock. */
  readonly createdAt: Date;
}

/** One program. `env` is the whole environment: nothing is inherited. Paths are as seen inside the sandbox. */
export interface SandboxCommand {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the workspace. */
  readonly cwd?: string;
  readonly stdin?: string;
  readonly timeoutMs?: number;
}

export interface ExecResult {
  /** Exit code; 128 + signal number when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
}

/** A running program. */
export interface SandboxProcess {
  onOutput(listener: (stream: 'stdout' | 'stderr', text: string) => void): void;
  /** Resolves when it has ended, however it ended. */
  readonly exited: Promise<{ readonly code: number }>;
  kill(): Promise<void>;
}

/** Why a sandbox ended without being asked to. */
export type SandboxEnd = 'exited' | 'killed' | 'memory' | 'disk';

export type ProbeResult =
  | { readonly ok: true; readonly isolated: boolean; readonly detail: string }
  /** `fix` says what to install or enable. */
  | { readonly ok: false; readonly reason: string; readonly fix: string };

/** What this provider, on this machine, can do; contract tests branch on it. */
export interface SandboxCapabilities {
  /** False only in the operator's explicit unsafe mode. */
  readonly isolated: boolean;
  /** The sandbox reaches the gateway through a Unix socket of its own and needs no credential. */
  readonly gatewaySocket: boolean;
  /** Instances live in the worker that made them and die with it. */
  readonly diesWithOwner: boolean;
  readonly memoryLimit: boolean;
  readonly cpuLimit: boolean;
  readonly processLimit: boolean;
  readonly diskLimit: boolean;
  /** Where things are inside; in unsafe mode these are real paths of this machine, one set a sandbox. */
  readonly stopStart: boolean;
}

/** Where a sandbox's own things are, as seen from inside it. */
export interface SandboxPaths {
  readonly workspace: string;
  readonly home: string;
  /** Read-only folder with the request's files. */
  readonly tools: string;
  readonly node: string;
  /** Folder with the programs of agents that the operator shows to sandboxes; null where there is none. */
  readonly agents: string | null;
  /** The gateway's socket, where `capabilities.gatewaySocket`. */
  readonly gatewaySocket: string | null;
}

export interface SandboxProvider {
  readonly name: string;
  readonly capabilities: SandboxCapabilities;
  /** Runs the real profile once; cached by the caller. */
  probe(): Promise<ProbeResult>;
  /** Not idempotent: the caller looks an instance up by its id first. @throws UserError, RetryableError */
  create(request: SandboxRequest): Promise<SandboxInstance>;
  get(id: string): Promise<SandboxInstance | null>;
  /** Instances that carry all of `labels`; asked for page by page where the provider has pages. */
  list(labels: Readonly<Record<string, string>>): AsyncIterable<SandboxInstance>;
  paths(id: string): SandboxPaths;
  /** Whether an agent's run in a sandbox made now would find this program. */
  hasProgram(name: string): Promise<boolean>;
  exec(id: string, command: SandboxCommand): Promise<ExecResult>;
  spawn(id: string, command: SandboxCommand): Promise<SandboxProcess>;
  /** `path` is absolute, below the workspace or home. */
  upload(id: string, path: string, content: Uint8Array | string): Promise<void>;
  download(id: string, path: string): Promise<Buffer>;
  /** Ends every process and keeps the files. */
  stop(id: string): Promise<void>;
  start(id: string): Promise<void>;
  /** Tells the provider that the sandbox is in use. */
  keepAlive(id: string): Promise<void>;
  /** Ends the whole process tree and removes everything; already gone is success. */
  destroy(id: string): Promise<void>;
  /** Removes what dead processes of ours left behind on this machine. Never throws for one thing that resists. */
  sweep(): Promise<void>;
  /** Called once per instance that ends without `stop` or `destroy`. */
  onEnd(listener: (id: string, why: SandboxEnd) => void): void;
  /** Destroys what this process made. */
  close(): Promise<void>;
}

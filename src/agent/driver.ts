/**
 * A coding agent is a command-line program. A driver builds its command line, reads its output line by line and
 * judges how it ended. Drivers run in the sandbox's runner, so they import nothing but each other.
 */

/** What one agent run is asked to do. */
export interface AgentTask {
  /** Names the piece of work: a phase ("design") or a task of the plan ("TSK-002"). */
  readonly subject: string;
  readonly attempt: number;
  readonly prompt: string;
  /** JSON Schema of the expected output, or null where the work is edits to files. */
  readonly outputSchema: unknown;
  /** Absolute path of the repository's work tree. */
  readonly workspace: string;
  /** Read-only folder of our own files. */
  readonly tools: string;
  /** A folder of this run alone, outside the work tree: prompts in, results out. */
  readonly scratch: string;
  /** Absolute path of a Node binary inside the sandbox. */
  readonly node: string;
}

export interface AgentCommand {
  readonly argv: readonly string[];
  /** Added to the run's documented environment. Never a secret. */
  readonly env: Readonly<Record<string, string>>;
  /** Files to write into `scratch` before the start; names without folders. */
  readonly files: Readonly<Record<string, string>>;
  readonly stdin: string | null;
}

/** What an agent says while it works, in our words. */
export type AgentEvent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool'; readonly name: string; readonly detail: string }
  | { readonly type: 'usage'; readonly inputTokens: number; readonly outputTokens: number }
  | { readonly type: 'retry'; readonly reason: string }
  /** The structured answer, where one was asked for. */
  | { readonly type: 'output'; readonly output: unknown }
  | { readonly type: 'error'; readonly message: string };

export interface AgentExit {
  readonly code: number;
  readonly timedOut: boolean;
  /** Every event that was parsed, in order. */
  readonly events: readonly AgentEvent[];
  /** The end of standard error, at most 4,000 characters. */
  readonly stderrTail: string;
}

export type AgentOutcome =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly reason: string };

export interface AgentDriver {
  readonly name: string;
  buildCommand(task: AgentTask): AgentCommand;
  /** One line of standard output; a line that is not ours gives no event and never throws. */
  parseLine(line: string): readonly AgentEvent[];
  judge(exit: AgentExit): AgentOutcome;
}

/**
 * A coding agent is a command-line program. A driver builds its command line, reads its output line by line and
 * judges how it ended. Drivers run in the sandbox's runner, so they import nothing but each other.
 */

/** The wire protocol in which an agent asks a model. */
export type ModelApi = 'anthropic' | 'openai' | 'bedrock' | 'vertex';

/** The model of one run and where it is reached: the gateway, which knows the key. */
export interface AgentModel {
  readonly api: ModelApi;
  /** Null leaves the choice to the agent. */
  readonly name: string | null;
  /** What stands before the provider's own path, without a slash at its end. */
  readonly baseUrl: string;
}

/** What one agent run is asked to do. */
export interface AgentTask {
  /** Names the piece of work: a phase ("design") or a task of the plan ("TSK-002"). */
  readonly subject: string;
  readonly attempt: number;
  readonly prompt: string;
  /** JSON Schema of the expected output, or null where the work is edits to files. */
  readonly outputSchema: unknown;
  /** Null where no model is at work. */
  readonly model: AgentModel | null;
  /** Answers of the model after which the run ends; null for no bound. Not every agent can count them. */
  readonly maxTurns: number | null;
  /** The operator's own program, for the driver that runs one. */
  readonly command: string | null;
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
  /** A file in `scratch` that the program may write; the judge gets its text. */
  readonly outputFile: string | null;
}

/** What an agent says while it works, in our words. */
export type AgentEvent =
  /** What the agent calls this conversation, so that it can be taken up again. */
  | { readonly type: 'session'; readonly id: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tool'; readonly name: string; readonly detail: string }
  /** The whole run's, by the agent's own count. */
  | {
      readonly type: 'usage';
      /** Neither read from a cache nor written to it. */
      readonly inputTokens: number;
      readonly cacheReadTokens: number;
      readonly cacheWriteTokens: number;
      readonly outputTokens: number;
      /** Answers of the model; null where the agent does not count them. */
      readonly turns: number | null;
    }
  | { readonly type: 'retry'; readonly reason: string }
  /** The structured answer, where one was asked for. */
  | { readonly type: 'output'; readonly output: unknown }
  | { readonly type: 'error'; readonly message: string }
  /** The agent's own word on how it ended. */
  | {
      readonly type: 'end';
      readonly ok: boolean;
      readonly why: FailureKind | null;
      readonly reason: string | null;
    };

/**
 * Why a run failed. `work`: the agent did not do it. `model`: the model could not be asked (refused, overloaded, out
 * of quota or budget), so the same run may succeed later. `limit`: a bound of ours ended it: time or turns.
 */
export type FailureKind = 'work' | 'model' | 'limit';

export interface AgentExit {
  readonly code: number;
  readonly timedOut: boolean;
  /** The newest event of each type, oldest first. */
  readonly events: readonly AgentEvent[];
  /** The end of standard error, at most 4,000 characters. */
  readonly stderrTail: string;
  /** Text of the command's `outputFile`; null where there is none or it is larger than 2 MiB. */
  readonly outputText: string | null;
  /** Whether the task had an output schema. */
  readonly wantsOutput: boolean;
}

export type AgentOutcome =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly why: FailureKind; readonly reason: string };

/** The program that a driver starts. */
export interface AgentCli {
  readonly program: string;
  /** The command with which a person installs it. */
  readonly install: string;
}

export interface AgentDriver {
  readonly name: string;
  /** Null where nothing has to be installed. */
  readonly cli: AgentCli | null;
  buildCommand(task: AgentTask): AgentCommand;
  /** One line of standard output; a line that is not ours gives no event and never throws. */
  parseLine(line: string): readonly AgentEvent[];
  judge(exit: AgentExit): AgentOutcome;
}

import { z } from 'zod';

const path = z.string().min(1);

/** One change to the work tree; `path` is relative to it. */
const editSchema = z.union([
  z.strictObject({ path, content: z.string() }),
  z.strictObject({ path, append: z.string() }),
  z.strictObject({ path, delete: z.literal(true) }),
  /** A symbolic link to this target. */
  z.strictObject({ path, symlink: z.string() }),
  /** Permission bits in octal, "755". */
  z.strictObject({ path, mode: z.string().regex(/^[0-7]{3,4}$/) }),
]);
export type Edit = z.infer<typeof editSchema>;

/** What the scripted agent does in one run, in this order. */
const playSchema = z.strictObject({
  delayMs: z.int().nonnegative().optional(),
  say: z.array(z.string()).optional(),
  edits: z.array(editSchema).optional(),
  output: z.unknown().optional(),
  /** Ends with this message and code 1. */
  fail: z.string().optional(),
  exitCode: z.int().min(0).max(255).optional(),
  /** Never ends by itself. */
  hang: z.literal(true).optional(),
});
export type Play = z.infer<typeof playSchema>;

/** One play, or one for each attempt, of which the last repeats. */
const playsSchema = z.union([playSchema, z.array(playSchema).min(1)]);

const scriptSchema = z.strictObject({
  phases: z.record(z.string(), playsSchema),
  /** By the task's id, "TSK-001". */
  tasks: z.record(z.string(), playsSchema),
  verify: playsSchema.optional(),
});
export type Script = z.infer<typeof scriptSchema>;

export type ScriptResult =
  | { readonly ok: true; readonly script: Script }
  /** One line for each problem. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Checks the text of a script file, so that a mistake shows at the start and not inside a sandbox. */
export function parseScript(text: string): ScriptResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, problems: ['the script is no JSON'] };
  }
  const parsed = scriptSchema.safeParse(value);
  if (parsed.success) return { ok: true, script: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'script'}: ${issue.message}`),
  };
}

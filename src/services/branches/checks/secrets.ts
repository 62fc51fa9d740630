/** Looks for secrets in what a change would make public, with the rules of secretlint's recommended preset. */
import { lintSource } from '@secretlint/core';
import { secretLintProfiler } from '@secretlint/profiler';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { matchesPattern } from '../glob.ts';
import type { Line } from './lines.ts';
import { secretFileRule } from './secret-files.ts';

/** A text that would become public: lines of a file, or of a commit's message. */
export interface ScannedText {
  readonly path: string;
  readonly lines: readonly Line[];
  /** The file is not in the base, so its name is judged too. */
  readonly isNew: boolean;
  /** Sha of the commit that adds the lines, where a later one takes them away again. */
  readonly commit?: string;
}

/** Where something looks like a secret, and by which rule; never the secret itself. `line` is null for a whole file. */
export interface Finding {
  readonly path: string;
  readonly line: number | null;
  /** "github/GITHUB_TOKEN", "file-name/dotenv". */
  readonly rule: string;
  readonly commit?: string;
}

/** What the repository's settings let pass. A rule is named whole, or by its part in front of the slash. */
export interface SecretAllowList {
  readonly ignorePaths: readonly string[];
  readonly ignoreRules: readonly string[];
}

const RULE_PREFIX = '@secretlint/secretlint-rule-';

/**
 * The preset's rules one by one, without the one by which comments switch others off: comments in the change itself
 * must not be able to. (Inside the preset, `disabled` does not keep it from running.)
 */
const CONFIG = {
  rules: rules
    .filter(({ meta }) => meta.id !== `${RULE_PREFIX}filter-comments`)
    .map((rule) => ({ id: rule.meta.id, rule })),
};

/** Lines looked through at once: other work gets its turn in between. 10 ms a MiB, measured. */
const PART_CHARACTERS = 512 * 1024;
/** Lines that one part has in common with the one before it; private keys are the longest secrets. */
const OVERLAP_LINES = 120;

/** What looks like a secret, at most once a line and rule, in the order of texts and lines. */
export async function scanSecrets(texts: readonly ScannedText[], allow: SecretAllowList): Promise<Finding[]> {
  // Otherwise every scan leaves marks behind in a list that only grows.
  secretLintProfiler.setEnabled(false);
  const findings: Finding[] = [];
  for (const text of texts) {
    if (allow.ignorePaths.some((pattern) => matchesPattern(text.path, pattern))) continue;
    const found = [...byName(text), ...(await byContent(text))].filter(({ rule }) => !isAllowed(rule, allow));
    const { commit } = text;
    findings.push(...found.map((finding) => (commit === undefined ? finding : { ...finding, commit })));
  }
  return findings;
}

function byName({ path, isNew }: ScannedText): Finding[] {
  const rule = isNew ? secretFileRule(path) : null;
  return rule === null ? [] : [{ path, line: null, rule: `file-name/${rule}` }];
}

async function byContent({ path, lines }: ScannedText): Promise<Finding[]> {
  const found = new Map<string, Finding>();
  for (const part of partsOf(lines)) {
    for (const { line, rule } of await lint(path, part)) {
      found.set(`${line}/${rule}`, { path, line, rule });
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return [...found.values()].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

async function lint(path: string, part: readonly Line[]): Promise<{ line: number; rule: string }[]> {
  const { messages } = await lintSource({
    source: {
      filePath: `/${path}`,
      ext: /\.[^./]+$/u.exec(path)?.[0] ?? '',
      content: part.map(({ text }) => text).join('\n'),
      contentType: 'text',
    },
    options: { config: CONFIG, maskSecrets: true },
  });
  return messages.map(({ ruleId, messageId, loc }) => ({
    line: part[loc.start.line - 1]?.number ?? 0,
    rule: `${ruleId.replace(RULE_PREFIX, '')}/${messageId}`,
  }));
}

function partsOf(lines: readonly Line[]): Line[][] {
  const parts: Line[][] = [];
  let part: Line[] = [];
  let size = 0;
  for (const line of lines) {
    part.push(line);
    size += line.text.length + 1;
    if (size < PART_CHARACTERS) continue;
    parts.push(part);
    part = part.slice(-OVERLAP_LINES).filter(({ text }) => text.length < 1000);
    size = part.reduce((sum, { text }) => sum + text.length + 1, 0);
  }
  return part.length > 0 ? [...parts, part] : parts;
}

function isAllowed(rule: string, { ignoreRules }: SecretAllowList): boolean {
  return ignoreRules.includes(rule) || ignoreRules.includes(rule.slice(0, rule.indexOf('/')));
}

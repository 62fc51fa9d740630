import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { defaultSettings, type Settings, type SettingsFile, settingsFileSchema } from './schema.ts';

/** Where a settings file of a repository, and of an organisation's `.github` repository, stands. */
export const SETTINGS_PATH = '.github/specwright.yml';

/** Real files have some hundred bytes; the cap stops a parser from being fed megabytes. */
const MAX_BYTES = 64 * 1024;

/** One thing to set right, for people: `path` is the key ("limits.tasks"), empty for the file as a whole. */
export interface SettingsProblem {
  readonly path: string;
  readonly message: string;
}

export type SettingsReading =
  | { readonly ok: true; readonly settings: SettingsFile }
  | { readonly ok: false; readonly problems: readonly SettingsProblem[] };

/** Reads the text of a settings file. An empty file sets nothing. Never throws. */
export function parseSettings(text: string): SettingsReading {
  if (Buffer.byteLength(text) > MAX_BYTES) return refuse(`is larger than ${MAX_BYTES / 1024} KiB`);
  const parsed = parseYaml(text);
  if (!parsed.ok) return refuse(parsed.message);
  const read = settingsFileSchema.safeParse(parsed.value ?? {});
  if (read.success) return { ok: true, settings: read.data };
  return { ok: false, problems: read.error.issues.flatMap((issue) => problemsOf(issue, parsed.value)) };
}

export type SettingsSource = 'organization' | 'repository';

export interface MergedSettings {
  readonly settings: Settings;
  /** Of files that are invalid and therefore set nothing. Work must not start on settings with problems. */
  readonly problems: readonly (SettingsProblem & { readonly source: SettingsSource })[];
}

/**
 * Lays the levels over each other, key by key: defaults, installation, organisation, repository. Protected paths add
 * up instead, so that no level takes away what another protects. Null is a file that does not exist.
 */
export function mergeSettings(
  installation: SettingsFile,
  organization: SettingsReading | null,
  repository: SettingsReading | null,
): MergedSettings {
  const levels = [installation, settingsOf(organization), settingsOf(repository)];
  const problems = [...problemsFrom('organization', organization), ...problemsFrom('repository', repository)];
  return { settings: levels.reduce<Settings>(lay, defaultSettings), problems };
}

function lay(below: Settings, above: SettingsFile): Settings {
  return {
    ...below,
    ...above,
    agents: { ...below.agents, ...above.agents },
    models: { ...below.models, ...above.models },
    limits: { ...below.limits, ...above.limits },
    budget: { ...below.budget, ...above.budget },
    egress: { ...below.egress, ...above.egress },
    secretScan: { ...below.secretScan, ...above.secretScan },
    protectedPaths: [...new Set([...below.protectedPaths, ...(above.protectedPaths ?? [])])],
  };
}

function settingsOf(reading: SettingsReading | null): SettingsFile {
  return reading?.ok ? reading.settings : {};
}

function problemsFrom(source: SettingsSource, reading: SettingsReading | null) {
  return reading && !reading.ok ? reading.problems.map((problem) => ({ ...problem, source })) : [];
}

function refuse(message: string): SettingsReading {
  return { ok: false, problems: [{ path: '', message }] };
}

function parseYaml(text: string): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
    const [error] = document.errors;
    if (error) {
      const line = text.slice(0, error.pos[0]).split('\n').length;
      return { ok: false, message: `is no YAML: line ${line}: ${error.message}` };
    }
    // Aliases are not needed here, and a few lines of them unfold to gigabytes.
    return { ok: true, value: document.toJS({ maxAliasCount: 0 }) as unknown };
  } catch {
    return { ok: false, message: 'uses YAML aliases, which are not supported here' };
  }
}

function problemsOf(issue: z.core.$ZodIssue, value: unknown): SettingsProblem[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: path ? `${path}.${key}` : key, message: 'is no known setting' }));
  }
  return [{ path, message: sentence(issue, at(value, issue.path)) }];
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return `has to be ${typeName(issue.expected)}, not ${kindOf(value)}`;
    case 'invalid_value':
      return `has to be ${issue.values.map((allowed) => JSON.stringify(allowed)).join(' or ')}`;
    case 'too_small':
      return `has to be at least ${unit(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `may be at most ${unit(issue.maximum, issue.origin)}`;
    default:
      return issue.message;
  }
}

function unit(bound: number | bigint, origin: string): string {
  if (origin === 'string') return `${bound} characters long`;
  return origin === 'array' ? `${bound} entries long` : String(bound);
}

function typeName(expected: string): string {
  const names: Record<string, string> = {
    int: 'a whole number',
    number: 'a number',
    string: 'text',
    boolean: 'true or false',
    array: 'a list',
    object: 'a group of settings',
  };
  return names[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of settings';
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : 'something else';
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

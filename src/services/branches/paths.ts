import { cleanText } from '../markdown/markdown.ts';
import { matchesPattern } from './glob.ts';

/**
 * Whether a change may touch workflows: GitHub takes them only from an App that was granted `workflows: write`, and the
 * repository has to want it.
 */
export type WorkflowRule = 'allowed' | 'not_set' | 'not_granted';

const WORKFLOWS = '/.github/workflows';

const workflowProblems: Readonly<Record<WorkflowRule, string | null>> = {
  allowed: null,
  not_set:
    'is a workflow, and workflows run with the repository’s secrets: a person with write access has to change it, or a maintainer sets `workflows: true` in .github/specwright.yml on the default branch',
  not_granted:
    'is a workflow, and this installation does not grant the App “Workflows: write”: a person with write access has to change it, or the App’s owner asks for that permission (app.workflows.yml) and an owner of this account accepts it',
};

/** What a repository says about the places that a change may touch. */
export interface PathRules {
  /** Patterns of the repository's settings, as `matchesPattern` reads them. */
  readonly protectedPaths?: readonly string[] | undefined;
  /** `not_set` where nothing is said. */
  readonly workflows?: WorkflowRule | undefined;
}

/** What no change of ours may touch, whatever a repository's settings say. */
const ALWAYS_PROTECTED: readonly { pattern: string; what: string }[] = [
  { pattern: '/.github/actions', what: 'is an action, and actions run with the repository’s secrets' },
  { pattern: '/CODEOWNERS', what: 'decides who has to review changes' },
  { pattern: '/docs/CODEOWNERS', what: 'decides who has to review changes' },
  { pattern: '/.github/CODEOWNERS', what: 'decides who has to review changes' },
  { pattern: '/.github/specwright.yml', what: 'holds the rules that this change is judged by' },
];

// Code points that HFS+ ignores in names, so that ".g\u200cit" is ".git" there (git's own list).
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/gu;
const MAX_PATH = 1024;

/** Why a path may not be written, as the end of a sentence that begins with the path, or null. */
export function pathProblem(path: string, rules: PathRules = {}): string | null {
  return formProblem(path) ?? protectionProblem(path, rules);
}

/** Why a path is unsafe on somebody's machine, or null. */
export function formProblem(path: string): string | null {
  if (path === '') return 'is empty';
  if (path.length > MAX_PATH) return `is longer than ${MAX_PATH} characters`;
  if (cleanText(path) !== path || /[\n\t]/u.test(path)) return 'has control or invisible characters in it';
  if (path.includes('\\')) return 'has a backslash in it, which some machines read as a folder';
  if (path.startsWith('/') || /^[a-z]:/iu.test(path)) return 'is absolute';
  const components = path.split('/');
  if (components.includes('..')) return 'leads out of its folder';
  if (components.some((name) => name === '' || name === '.')) return 'is not in its plain form';
  if (components.some(isGitFolder)) return 'reaches into git’s own folder';
  return null;
}

/** Why a path is protected, or null. */
export function protectionProblem(path: string, rules: PathRules): string | null {
  if (path.split('/').some(isGitModules)) return 'sets up submodules';
  if (matchesPattern(path, WORKFLOWS)) {
    const problem = workflowProblems[rules.workflows ?? 'not_set'];
    if (problem !== null) return problem;
  }
  const rule = ALWAYS_PROTECTED.find(({ pattern }) => matchesPattern(path, pattern));
  if (rule) return rule.what;
  const own = rules.protectedPaths?.find((pattern) => matchesPattern(path, pattern));
  return own === undefined ? null : `is protected by the repository’s settings (${own})`;
}

/** Whether some file system takes this name for ".git". */
export function isGitFolder(name: string): boolean {
  const plain = diskName(name);
  return plain === '.git' || /^git~\d+$/u.test(plain);
}

function isGitModules(name: string): boolean {
  const plain = diskName(name);
  return plain === '.gitmodules' || /^(?:gitmod~\d+|gi7eb[0-9a-f]~\d+)$/u.test(plain);
}

/** A name as case-insensitive HFS+ and NTFS compare it: NTFS drops dots and spaces at the end and streams. */
function diskName(name: string): string {
  return name
    .replace(HFS_IGNORED, '')
    .toLowerCase()
    .replace(/:.*$/u, '')
    .replace(/[. ]+$/u, '');
}

/** A path as case-insensitive, normalising disks compare it. */
export function foldPath(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

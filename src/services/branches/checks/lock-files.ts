/** Files that package managers write by themselves, and the file that says why: which of both a change may touch. */
import { matchesPattern } from '../glob.ts';

export type LockFileRule = 'with-manifest' | 'allow' | 'refuse';

const MANIFESTS: Readonly<Record<string, readonly string[]>> = {
  'package-lock.json': ['package.json'],
  'npm-shrinkwrap.json': ['package.json'],
  'pnpm-lock.yaml': ['package.json', 'pnpm-workspace.yaml'],
  'yarn.lock': ['package.json'],
  'bun.lock': ['package.json'],
  'bun.lockb': ['package.json'],
  'deno.lock': ['deno.json', 'deno.jsonc', 'package.json'],
  'Cargo.lock': ['Cargo.toml'],
  'poetry.lock': ['pyproject.toml'],
  'uv.lock': ['pyproject.toml'],
  'pdm.lock': ['pyproject.toml'],
  'Pipfile.lock': ['Pipfile'],
  'go.sum': ['go.mod'],
  'go.work.sum': ['go.work', 'go.mod'],
  'Gemfile.lock': ['Gemfile', '*.gemspec'],
  'composer.lock': ['composer.json'],
  'mix.lock': ['mix.exs'],
  'pubspec.lock': ['pubspec.yaml'],
  'Podfile.lock': ['Podfile'],
  'Package.resolved': ['Package.swift'],
  'packages.lock.json': ['*.csproj', '*.fsproj', '*.vbproj'],
  'gradle.lockfile': ['build.gradle', 'build.gradle.kts'],
  'flake.lock': ['flake.nix'],
  '.terraform.lock.hcl': ['*.tf'],
};

const MANIFESTS_FOLDED: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(MANIFESTS).map(([name, of]) => [name.toLowerCase(), of]),
);

/** Whether a package manager writes this file. */
export function isLockFile(path: string): boolean {
  return manifestsOf(path) !== null;
}

function manifestsOf(path: string): readonly string[] | null {
  return MANIFESTS_FOLDED.get(nameOf(path).toLowerCase()) ?? null;
}

/** Why a changed lock file may not be published, as the end of a sentence that begins with its path; or null. */
export function lockFileProblem(
  path: string,
  { changed, rule }: { readonly changed: readonly string[]; readonly rule: LockFileRule },
): string | null {
  const manifests = manifestsOf(path);
  if (manifests === null || rule === 'allow') return null;
  if (rule === 'refuse')
    return 'is a lock file, and the settings let no spec change one (`lockFiles: refuse`)';
  const folder = path.slice(0, path.length - nameOf(path).length);
  // In a workspace one lock file serves the manifests of all folders below it.
  const explained = changed.some(
    (other) => other.startsWith(folder) && manifests.some((name) => matchesPattern(nameOf(other), name)),
  );
  if (explained) return null;
  return `is a lock file that changed though ${manifests.join(' or ')} beside it did not, so nothing shows why (\`lockFiles: allow\` would let it pass)`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

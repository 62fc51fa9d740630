import { isGitFolder } from './paths.ts';

/** The symbolic links of a tree by path; a link whose target nobody read is `null`. */
export type Links = ReadonlyMap<string, string | null>;

/** What is wrong with where a symbolic link leads, as the end of a sentence, or null. */
export function linkProblem(path: string, links: Links): string | null {
  return follow(path, links, new Set());
}

function follow(path: string, links: Links, seen: Set<string>): string | null {
  if (seen.has(path)) return null; // a circle leads nowhere, and so nowhere bad
  seen.add(path);
  const target = links.get(path);
  if (target === undefined) return null;
  if (target === null) return 'is a symbolic link whose target could not be read';
  const resolved = resolve(path, target);
  if (typeof resolved === 'string') return resolved;
  // The target may lie behind another link; then that one must be sound too.
  for (let length = 1; length <= resolved.length; length += 1) {
    const problem = follow(resolved.slice(0, length).join('/'), links, seen);
    if (problem) return problem;
  }
  return null;
}

function resolve(path: string, target: string): string[] | string {
  if (target === '' || target.includes('\0') || target.length > 1024)
    return 'is a symbolic link with a broken target';
  if (/^(?:[/\\]|[a-z]:)/iu.test(target)) return 'is a symbolic link to an absolute path';
  if (target.includes('\\')) return 'is a symbolic link with a backslash in its target';
  const place = path.split('/').slice(0, -1);
  let descended = false;
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') {
      if (isGitFolder(part)) return 'is a symbolic link into git’s own folder';
      descended = true;
      place.push(part);
      continue;
    }
    // Behind a folder that may itself be a link, ".." is not the folder above: "a/../b" can lead out of the tree.
    if (descended) return 'is a symbolic link whose target goes down and up again';
    if (place.pop() === undefined) return 'is a symbolic link that leads out of the repository';
  }
  return place;
}

/**
 * Whether a path is meant by a protected-path pattern: `*` and `?` stay within a folder, `**` crosses folders,
 * `/` at the start or inside anchors at the root, a pattern without one means that name anywhere, and a folder
 * means everything below it. Letters of either case match, as on the disks of most contributors.
 */
export function matchesPattern(path: string, pattern: string): boolean {
  const trimmed = pattern.replace(/^\/+|\/+$/gu, '');
  if (trimmed === '') return false;
  const anchored = /\/(?!$)/u.test(pattern);
  const parts = (anchored ? trimmed : `**/${trimmed}`).toLowerCase().split('/');
  return matchParts(path.toLowerCase().split('/'), parts);
}

// One set of states per path component: linear in path × pattern, whatever the pattern (a regular expression
// made from many stars could take exponential time).
function matchParts(path: readonly string[], pattern: readonly string[]): boolean {
  let states = withSkippedStars(new Set([0]), pattern);
  for (const component of path) {
    const next = new Set<number>();
    for (const state of states) {
      const part = pattern[state];
      if (part === undefined) continue;
      if (part === '**') next.add(state);
      // A `**` at the end means what is below the folder, so it has to take a component itself.
      if (part === '**' ? state === pattern.length - 1 : matchesName(component, part)) next.add(state + 1);
    }
    states = withSkippedStars(next, pattern);
    // The pattern is used up: it named this file, or a folder above it.
    if (states.has(pattern.length)) return true;
  }
  return false;
}

function withSkippedStars(states: Set<number>, pattern: readonly string[]): Set<number> {
  // Sets are walked in order of insertion and take in what is added on the way, so runs of `**` work too.
  for (const state of states)
    if (pattern[state] === '**' && state < pattern.length - 1) states.add(state + 1);
  return states;
}

function matchesName(name: string, pattern: string): boolean {
  const signs = Array.from(pattern);
  let states = new Set([0]);
  for (const character of name) {
    const next = new Set<number>();
    for (const state of states) {
      if (signs[state] === '*') {
        next.add(state);
        states.add(state + 1);
      } else if (signs[state] === '?' || signs[state] === character) next.add(state + 1);
    }
    states = next;
  }
  for (const state of states) if (signs[state] === '*') states.add(state + 1);
  return states.has(signs.length);
}

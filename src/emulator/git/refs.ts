import { git, tryGit } from './run.ts';

export const ZERO = '0'.repeat(40);

export interface Ref {
  readonly ref: string;
  readonly sha: string;
  readonly type: string;
}

export type RefUpdate = { ok: true } | { ok: false; reason: 'exists' | 'moved' | 'conflict'; detail: string };

/** All refs whose full name begins with a prefix, by name. */
export async function listRefs(dir: string, prefix = 'refs/'): Promise<Ref[]> {
  const text = await git(dir, ['for-each-ref', '--format=%(objectname) %(objecttype) %(refname)']);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [sha = '', type = '', ...name] = line.split(' ');
      return { ref: name.join(' '), sha, type };
    })
    .filter((one) => one.ref.startsWith(prefix));
}

/** Moves, creates (`before` = zeros) or deletes (`after` = zeros) a ref, only from the value that the caller saw. */
export async function updateRef(
  dir: string,
  change: { ref: string; before: string; after: string },
): Promise<RefUpdate> {
  const args =
    change.after === ZERO
      ? ['update-ref', '--no-deref', '-d', change.ref, change.before]
      : ['update-ref', '--no-deref', change.ref, change.after, change.before];
  const result = await tryGit(dir, args);
  if (result.code === 0) return { ok: true };
  const detail = result.stderr.trim();
  if (/cannot create/.test(detail)) return { ok: false, reason: 'conflict', detail };
  return { ok: false, reason: change.before === ZERO ? 'exists' : 'moved', detail };
}

/** Whether a full ref name is well formed, by the rules of git-check-ref-format. */
export function isRefName(ref: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what git forbids
  if (!/^refs\/[^/]+\/.+$/.test(ref) || /[\x00-\x20\x7f~^:?*[\\]/.test(ref)) return false;
  if (/\.\.|@\{|\/\/|\.$|\/$/.test(ref)) return false;
  return ref.split('/').every((part) => part !== '' && !part.startsWith('.') && !part.endsWith('.lock'));
}

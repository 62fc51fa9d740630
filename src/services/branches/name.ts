import { FatalError } from '../../errors.ts';

const SLUG_LENGTH = 40;
/** Letters that Unicode does not take apart into a base letter and a mark. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
};

/** The first 8 hex digits of a spec's id, which names its branch and refs. @throws FatalError when it is no uuid. */
export function shortId(specId: string): string {
  const found = /^[0-9a-f]{8}(?=-[0-9a-f]{4}-)/iu.exec(specId);
  if (!found) throw new FatalError('a spec id has to be a uuid');
  return found[0].toLowerCase();
}

/** A title as lower-case ASCII words between hyphens, at most 40 characters, cut between words; may be empty. */
export function slugOf(title: string): string {
  const words = title
    // Nothing behind the first few hundred characters can show; this bounds the work on a 10 KB title.
    .slice(0, 400)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[ßæœøđðþłı]/gu, (letter) => LETTERS[letter] ?? '')
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
  if (words.length <= SLUG_LENGTH) return words;
  const cut = words.slice(0, SLUG_LENGTH + 1).lastIndexOf('-');
  // One long word is cut in the middle rather than dropped.
  return words.slice(0, cut > SLUG_LENGTH / 3 ? cut : SLUG_LENGTH).replace(/-+$/u, '');
}

/**
 * A spec's public branch: `spec/{first 8 hex}-{slug}`.
 * @param options.avoid 2, 3, … where the name without (or with a lower) suffix is somebody else's.
 */
export function branchName(specId: string, title: string, options: { avoid?: number } = {}): string {
  return `spec/${stem(specId, title)}${suffix(options.avoid)}`;
}

/** The name where a branch called `spec` exists, beside which git can hold no `spec/…`. */
export function fallbackBranchName(specId: string, title: string, options: { avoid?: number } = {}): string {
  return `spec-${stem(specId, title)}${suffix(options.avoid)}`;
}

/** The hidden ref that work in progress is pushed to; it starts no CI. */
export function checkpointRef(specId: string): string {
  return `refs/specwright/${shortId(specId)}`;
}

/** The folder for the spec's own files, where a setting asks for them; without a slash at its end. */
export function specFolder(specId: string, title: string): string {
  return `specs/${stem(specId, title)}`;
}

function stem(specId: string, title: string): string {
  return [shortId(specId), slugOf(title)].filter((part) => part !== '').join('-');
}

function suffix(avoid = 1): string {
  return avoid >= 2 ? `-${Math.trunc(avoid)}` : '';
}

import { FatalError } from '../errors.ts';

type Wire = number | bigint;

/** GitHub's numeric id as a number; the client parses ids over 2^53 as bigint, which no id of GitHub's is yet. */
export function toId(id: Wire): number;
export function toId(id: Wire | undefined): number | undefined;
export function toId(id: Wire | undefined): number | undefined {
  if (typeof id === 'bigint') throw new FatalError('GitHub gave an id over 2^53');
  return id;
}

export const PAGE_SIZE = 100;

export interface Pages<T> {
  readonly items: readonly T[];
  /** False when there was more than `maxPages` of it. */
  readonly complete: boolean;
}

/** Reads pages of 100 from the first on until one is not full, at most `maxPages` of them. */
export async function readPages<T>(
  maxPages: number,
  read: (page: number) => Promise<readonly T[]>,
): Promise<Pages<T>> {
  const items: T[] = [];
  for (let page = 1; page <= maxPages; page++) {
    const got = await read(page);
    items.push(...got);
    if (got.length < PAGE_SIZE) return { items, complete: true };
  }
  return { items, complete: false };
}

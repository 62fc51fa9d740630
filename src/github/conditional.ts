import { GitHubError } from './errors.ts';

/** What was seen of something, and by which sign GitHub says that it is still so. JSON. */
export interface Sight {
  readonly etag: string;
  readonly value: unknown;
}

/** What earlier passes saw, and what this one sees; only the latter is kept. */
export interface Memory {
  readonly before: Readonly<Record<string, Sight>>;
  readonly after: Record<string, Sight>;
}

/**
 * Asks for something unless it is as it was: an unchanged one is answered from memory and costs nothing of the rate
 * limit. GitHub's tags change with the token, so once an hour everything is sent again.
 */
export async function unlessSeen<D, T>(
  memory: Memory,
  key: string,
  how: {
    readonly ask: (etag: string | undefined) => Promise<{ headers: { etag?: string | undefined }; data: D }>;
    readonly pick: (data: D) => T;
  },
): Promise<T> {
  const known = memory.before[key];
  try {
    const { headers, data } = await how.ask(known?.etag);
    const value = how.pick(data);
    if (headers.etag) memory.after[key] = { etag: headers.etag, value };
    return value;
  } catch (error) {
    if (!known || !(error instanceof GitHubError) || error.kind !== 'not_modified') throw error;
    memory.after[key] = known;
    return known.value as T;
  }
}

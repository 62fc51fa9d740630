/** What was opened, to be closed in the opposite order: at the end, or when opening the rest fails. */
export interface Closers {
  add(close: () => Promise<unknown>): void;
  /** Closes everything, each thing once, whatever fails. @throws the first failure, after the rest is closed */
  closeAll(): Promise<void>;
}

export function createClosers(): Closers {
  const opened: (() => Promise<unknown>)[] = [];
  return {
    add: (close) => void opened.push(close),
    async closeAll() {
      const failures: unknown[] = [];
      for (let close = opened.pop(); close; close = opened.pop()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Opens something with closers that run when it fails half-way, so that nothing keeps the process alive. */
export async function openOrClose<T>(open: (closers: Closers) => Promise<T>): Promise<T> {
  const closers = createClosers();
  try {
    return await open(closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

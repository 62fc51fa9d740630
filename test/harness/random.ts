/** Chance that repeats: the same seed gives the same numbers on every machine. */
export interface Random {
  readonly seed: number;
  /** At least 0, below 1. */
  next(): number;
  /** A whole number, at least 0, below `below`. */
  int(below: number): number;
  pick<T>(values: readonly T[]): T;
  /** A copy in another order. */
  shuffle<T>(values: readonly T[]): T[];
}

/** Numbers from a seed (mulberry32, a well-known 32-bit generator of public domain). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  return {
    seed,
    next,
    int,
    pick: (values) => values[int(values.length)]!,
    shuffle(values) {
      const order = [...values];
      for (let i = order.length - 1; i > 0; i -= 1) {
        const j = int(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return order;
    },
  };
}

/**
 * Does work that depends on chance. The seed is SEED of the environment, or a new one each time; a failure says the
 * seed that repeats it.
 */
export async function seeded<T>(work: (random: Random) => Promise<T> | T): Promise<T> {
  const set = process.env.SEED;
  const seed = set === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(set);
  try {
    return await work(randomFrom(seed));
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    failure.message = `SEED=${seed} repeats this: ${failure.message}`;
    throw failure;
  }
}

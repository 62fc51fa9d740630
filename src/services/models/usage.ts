/** Tokens of one call. Input tokens are those that were neither read from a cache nor written to it. */
export interface Usage {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  /** Written to be kept for five minutes. */
  readonly cacheWriteTokens: number;
  /** Written to be kept for an hour, which costs more. */
  readonly longCacheWriteTokens: number;
  readonly outputTokens: number;
}

export const noUsage: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  longCacheWriteTokens: 0,
  outputTokens: 0,
};

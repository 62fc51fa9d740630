import type { Usage } from './usage.ts';

/** Text, code and JSON take about four bytes a token. */
const BYTES_PER_INPUT_TOKEN = 4;
/** Streams wrap each few tokens in an event of their own. */
const BYTES_PER_STREAMED_TOKEN = 16;

/** What a call came to whose reply broke off: what it did say, and the rest by its size. */
export function estimated(
  { usage, replyBytes }: { readonly usage: Usage; readonly replyBytes: number },
  inputBytes: number,
): Usage {
  const told =
    usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens + usage.longCacheWriteTokens;
  return {
    ...usage,
    inputTokens: told > 0 ? usage.inputTokens : Math.ceil(inputBytes / BYTES_PER_INPUT_TOKEN),
    outputTokens: Math.max(usage.outputTokens, Math.ceil(replyBytes / BYTES_PER_STREAMED_TOKEN)),
  };
}

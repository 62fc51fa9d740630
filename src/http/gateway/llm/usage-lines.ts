import { noUsage, type Usage } from '../../../services/models/usage.ts';

/**
 * What one JSON message of a provider says about tokens, laid over what was known; null where it says nothing. Later
 * messages of a stream count all that came before, so the last word holds.
 */
export function usageIn(message: unknown, known: Usage): Usage | null {
  const body = group(message);
  const usage =
    group(body?.usage) ?? group(group(body?.message)?.usage) ?? group(group(body?.response)?.usage);
  if (!usage) return null;
  return 'prompt_tokens' in usage || 'input_tokens_details' in usage || 'total_tokens' in usage
    ? openai(usage)
    : anthropic(usage, known);
}

/** `message_start` has the input, `message_delta` the output and at times the input again. */
function anthropic(usage: Group, known: Usage): Usage {
  const written = count(usage.cache_creation_input_tokens);
  const long = count(group(usage.cache_creation)?.ephemeral_1h_input_tokens) ?? known.longCacheWriteTokens;
  return {
    inputTokens: count(usage.input_tokens) ?? known.inputTokens,
    cacheReadTokens: count(usage.cache_read_input_tokens) ?? known.cacheReadTokens,
    cacheWriteTokens: written === undefined ? known.cacheWriteTokens : Math.max(0, written - long),
    longCacheWriteTokens: long,
    outputTokens: count(usage.output_tokens) ?? known.outputTokens,
  };
}

/** Input counts include what came from the cache. */
function openai(usage: Group): Usage {
  const details = group(usage.input_tokens_details) ?? group(usage.prompt_tokens_details);
  const cached = count(details?.cached_tokens) ?? 0;
  const input = count(usage.input_tokens) ?? count(usage.prompt_tokens) ?? 0;
  const output = count(usage.output_tokens) ?? count(usage.completion_tokens) ?? 0;
  return {
    ...noUsage,
    inputTokens: Math.max(0, input - cached),
    cacheReadTokens: cached,
    outputTokens: output,
  };
}

type Group = Readonly<Record<string, unknown>>;

function group(value: unknown): Group | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Group) : undefined;
}

/** A number of tokens; a provider that is not the one it claims to be gets no say in what a call costs. */
function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

import { describe, expect, test } from '@jest/globals';
import { EventStreamCodec } from '@smithy/eventstream-codec';
import fc from 'fast-check';
import { createMeter } from '../../src/http/gateway/llm/meter.ts';
import { noUsage } from '../../src/services/models/usage.ts';

const anthropic = [
  {
    type: 'message_start',
    message: {
      usage: {
        input_tokens: 12,
        cache_read_input_tokens: 3000,
        cache_creation_input_tokens: 500,
        cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 100 },
        output_tokens: 1,
      },
    },
  },
  {
    type: 'content_block_delta',
    delta: { type: 'text_delta', text: 'the word "usage": {"input_tokens": 9}' },
  },
  { type: 'content_block_delta', delta: { type: 'text_delta', text: 'x'.repeat(5000) } },
  { type: 'message_delta', delta: {}, usage: { output_tokens: 77 } },
  { type: 'message_stop' },
];
const whole = {
  inputTokens: 12,
  cacheReadTokens: 3000,
  cacheWriteTokens: 400,
  longCacheWriteTokens: 100,
  outputTokens: 77,
};
const stream = (events: readonly { type: string }[]) =>
  Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(''));

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
);
const frames = Buffer.concat(
  anthropic.map((event) => {
    const bytes = Buffer.from(JSON.stringify(event)).toString('base64');
    const headers = { ':event-type': { type: 'string', value: 'chunk' } } as const;
    return codec.encode({ headers, body: Buffer.from(JSON.stringify({ bytes, p: 'abc' })) });
  }),
);

/** What is metered of a reply that arrives in pieces of these sizes, over and over. */
function metered(type: string, reply: Buffer, sizes: readonly number[]) {
  const meter = createMeter(type);
  for (let at = 0, turn = 0; at < reply.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    meter.push(reply.subarray(at, at + size));
    at += size;
  }
  return meter.end();
}

describe('a meter', () => {
  test.each([
    ['text/event-stream; charset=utf-8', stream(anthropic)],
    ['application/vnd.amazon.eventstream', frames],
  ])('reads %s however it is cut', (type, reply) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        expect(metered(type, reply, sizes)).toEqual({ usage: whole, reported: true, bytes: reply.length });
      }),
      { numRuns: 60 },
    );
  });

  test('knows a reply that broke off from one that said what it came to', () => {
    const start = metered('text/event-stream', stream(anthropic.slice(0, 3)), [100]);
    expect(start).toMatchObject({ reported: false, usage: { inputTokens: 12, outputTokens: 1 } });
    expect(metered('text/event-stream', Buffer.from('nothing of use'), [5])).toMatchObject({
      usage: noUsage,
      reported: false,
    });
  });

  test.each([
    ['the Responses API', { type: 'response.completed', response: { usage: responses() } }],
    ['chat completions', { object: 'chat.completion.chunk', usage: chat() }],
  ])('reads what %s says, of which cached tokens are a part', (_, last) => {
    const reply = Buffer.from(`data: {"choices":[]}\n\ndata: ${JSON.stringify(last)}\n\ndata: [DONE]\n\n`);
    expect(metered('text/event-stream', reply, [7])).toMatchObject({
      reported: true,
      usage: { ...noUsage, inputTokens: 60, cacheReadTokens: 40, outputTokens: 9 },
    });
  });

  test('reads a reply that is one document', () => {
    const reply = Buffer.from(JSON.stringify({ content: [], usage: { input_tokens: 5, output_tokens: 6 } }));
    expect(metered('application/json', reply, [4])).toMatchObject({
      reported: true,
      usage: { inputTokens: 5, outputTokens: 6 },
    });
  });

  test('takes no figure that is none, and never throws', () => {
    const nonsense = [
      '{"usage":{"input_tokens":-5,"output_tokens":1e99}}',
      '{"usage":[1]}',
      '{"usage"',
      'null',
    ];
    for (const text of nonsense) {
      const said = metered('text/event-stream', Buffer.from(`data: ${text}\n\n`), [3]);
      expect(said.usage).toEqual(noUsage);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const type of ['text/event-stream', 'application/vnd.amazon.eventstream', 'application/json']) {
          expect(metered(type, Buffer.from(bytes), [7]).bytes).toBe(bytes.length);
        }
      }),
    );
  });
});

function responses() {
  return {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 40 },
    output_tokens: 9,
    total_tokens: 109,
  };
}

function chat() {
  return {
    prompt_tokens: 100,
    prompt_tokens_details: { cached_tokens: 40 },
    completion_tokens: 9,
    total_tokens: 109,
  };
}

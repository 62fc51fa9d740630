import fc from 'fast-check';
import { exampleDeliveries } from './webhook-examples.ts';

/** A webhook that nobody at GitHub would send. */
export interface Hostile {
  readonly event: string;
  readonly body: Buffer;
}

const EVENTS = [
  'issues',
  'pull_request',
  'installation',
  'installation_repositories',
  'repository',
  'delete',
  'star',
];

/** Values that break what takes them for granted, as JSON. */
const ODD = [
  'null',
  'true',
  '-1',
  '0.5',
  '1e999',
  '-1e-999',
  '9007199254740993',
  '2147483648',
  '18446744073709551616',
  '""',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u202e\\u0007\\u001b[2J"',
  '{}',
  '[]',
  '[[]]',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toJSON":1,"then":1,"length":-1}',
  `"${'x'.repeat(10_000)}"`,
];

const odd = fc.constantFrom(...ODD);

/** Sound JSON in which one or more values were replaced; keys that no parser expects are among them. */
function mutated(examples: readonly { name: string; payload: object }[]): fc.Arbitrary<Hostile> {
  const changes = fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 4 });
  return fc.tuple(fc.nat(examples.length - 1), changes).map(([index, replaced]) => {
    const { name, payload } = examples[index]!;
    let text = JSON.stringify(payload);
    for (const [place, value] of replaced) text = replaceValue(text, place, value);
    return { event: name, body: Buffer.from(text) };
  });
}

/** Puts another value in the place of a plain one. */
function replaceValue(text: string, place: number, value: string): string {
  const values = [...text.matchAll(/:("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)/g)];
  const found = values[place % values.length];
  if (!found) return text;
  const start = found.index + 1;
  return text.slice(0, start) + value + text.slice(start + found[1]!.length);
}

/** Bytes changed, cut off or put in, so that most are no JSON any more. */
function broken(examples: readonly { name: string; payload: object }[]): fc.Arbitrary<Hostile> {
  return fc
    .tuple(fc.nat(examples.length - 1), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 8 }), fc.boolean())
    .map(([index, place, bytes, cut]) => {
      const { name, payload } = examples[index]!;
      const body = Buffer.from(JSON.stringify(payload));
      const at = place % body.length;
      body.set(bytes.subarray(0, body.length - at), at);
      return { event: name, body: cut ? body.subarray(0, at) : body };
    });
}

const event = fc.constantFrom(...EVENTS);

const random: fc.Arbitrary<Hostile> = fc
  .tuple(event, fc.uint8Array({ maxLength: 3000 }))
  .map(([name, bytes]) => ({ event: name, body: Buffer.from(bytes) }));

const json: fc.Arbitrary<Hostile> = fc
  .tuple(event, fc.json({ stringUnit: 'binary' }))
  .map(([name, text]) => ({ event: name, body: Buffer.from(text) }));

const LEVELS = [1000, 10_000, 100_000];

/** Nested deeper than a recursive reader can follow, as the whole body or where something is looked for. */
const deep: fc.Arbitrary<Hostile> = fc
  .tuple(event, fc.constantFrom(...LEVELS), fc.constantFrom('[', '{"a":'), fc.boolean(), fc.boolean())
  .map(([name, levels, open, closed, inside]) => {
    const nested = open.repeat(levels) + (closed ? `1${(open === '[' ? ']' : '}').repeat(levels)}` : '');
    const text = inside
      ? `{"action":"labeled","issue":${nested},"repository":{"id":1,"x":${nested}}}`
      : nested;
    return { event: name, body: Buffer.from(text) };
  });

/** The same key more than once, and keys that mean something to JavaScript. */
const keys: fc.Arbitrary<Hostile> = fc
  .tuple(
    event,
    fc.array(
      fc.tuple(
        fc.constantFrom('action', 'issue', 'repository', 'installation', '__proto__', 'constructor'),
        odd,
      ),
      { maxLength: 8 },
    ),
  )
  .map(([name, pairs]) => ({
    event: name,
    body: Buffer.from(`{${pairs.map(([key, value]) => `"${key}":${value}`).join(',')}}`),
  }));

/** All kinds, mutated examples most of all: they get furthest. */
export function hostileBodies(): fc.Arbitrary<Hostile> {
  const examples = exampleDeliveries();
  const telling = examples.filter(({ name }) => EVENTS.includes(name));
  return fc.oneof(
    { weight: 80, arbitrary: mutated(telling) },
    { weight: 20, arbitrary: mutated(examples) },
    { weight: 20, arbitrary: broken(examples) },
    { weight: 10, arbitrary: random },
    { weight: 10, arbitrary: json },
    { weight: 20, arbitrary: keys },
    { weight: 1, arbitrary: deep },
  );
}

/** Values of a header: any bytes that do not end the line. */
export const hostileHeader: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 60 }).map(oneLine),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => oneLine(Buffer.from(bytes).toString('latin1'))),
  fc.constantFrom(
    '',
    ' ',
    'sha256=',
    `sha256=${'0'.repeat(63)}`,
    '\t',
    ',',
    'a,b',
    '0x10',
    '-1',
    '1e3',
    '99999999999999',
  ),
  fc.nat(9000).map((length) => 'a'.repeat(length)),
);

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, '');
}

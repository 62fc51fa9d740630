import { noUsage, type Usage } from '../../../services/models/usage.ts';
import { usageIn } from './usage-lines.ts';

/** What a reply has told about tokens. */
export interface Metered {
  readonly usage: Usage;
  /** False where the reply never said what it came to: it broke off, or its format is none that we read. */
  readonly reported: boolean;
  /** Bytes of the reply's body. */
  readonly bytes: number;
}

/** Listens to a reply that streams by. */
export interface Meter {
  push(chunk: Buffer): void;
  end(): Metered;
}

/** A reply that is one JSON document is read at its end, up to this size; longer ones are none of a model. */
const DOCUMENT_BYTES = 16 * 1024 * 1024;
/** A line of a stream that is longer than this says nothing about usage. */
const LINE_BYTES = 1024 * 1024;
const NEWLINE = 10;
const MARK = '"usage"';

/** A meter for a reply by its content type: an event stream, AWS's frames, or one JSON document. */
export function createMeter(contentType: string | undefined): Meter {
  if (/^text\/event-stream/i.test(contentType ?? '')) return streamMeter();
  return /^application\/vnd\.amazon\.eventstream/i.test(contentType ?? '') ? frameMeter() : documentMeter();
}

/**
 * Reads only the lines of a stream that name "usage", which are two in a whole reply: a search for seven bytes is what
 * every other chunk costs.
 */
function streamMeter(): Meter {
  let usage = noUsage;
  let reported = false;
  let bytes = 0;
  /** The line that is not yet whole, in pieces. */
  let pieces: Buffer[] = [];
  let held = 0;
  const read = (line: string): void => {
    const found = usageIn(parse(line.slice(line.indexOf('{'))), usage);
    if (!found) return;
    usage = found;
    // The first message of a stream tells the input; what it came to stands in a later one.
    reported ||= !line.includes('"message_start"');
  };
  const keep = (rest: Buffer): void => {
    held += rest.length;
    if (held <= LINE_BYTES) pieces.push(rest);
    else pieces = [];
  };
  const readLines = (lines: Buffer): void => {
    if (!lines.includes(MARK)) return;
    for (const line of lines.toString('utf8').split('\n')) if (line.includes(MARK)) read(line);
  };
  const finish = (end: Buffer): void => {
    readLines(pieces.length === 0 ? end : Buffer.concat([...pieces, end]));
    pieces = [];
    held = 0;
  };
  return {
    push(chunk) {
      bytes += chunk.length;
      const first = chunk.indexOf(NEWLINE);
      if (first === -1) return keep(chunk);
      finish(chunk.subarray(0, first));
      const last = chunk.lastIndexOf(NEWLINE);
      // What lies between whole lines is looked at where it is: copying it would cost more than all the rest.
      if (last > first) readLines(chunk.subarray(first + 1, last));
      if (last + 1 < chunk.length) keep(chunk.subarray(last + 1));
    },
    end() {
      finish(Buffer.alloc(0));
      return { usage, reported, bytes };
    },
  };
}

/**
 * AWS wraps each event in a frame: its length, that of its headers, a checksum, headers, payload, a checksum. The
 * payload is `{"bytes": "base64 of the event"}`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
 */
function frameMeter(): Meter {
  let usage = noUsage;
  let reported = false;
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  const read = (frame: Buffer): void => {
    const payload = parse(frame.toString('utf8', 12 + frame.readUInt32BE(4), frame.length - 4));
    const text = (payload as { bytes?: unknown } | null)?.bytes;
    const event = typeof text === 'string' ? parse(Buffer.from(text, 'base64').toString('utf8')) : null;
    const found = usageIn(event, usage);
    if (!found) return;
    usage = found;
    reported ||= (event as { type?: unknown }).type !== 'message_start';
  };
  return {
    push(chunk) {
      bytes += chunk.length;
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let length = frameLength(rest); length !== null; length = frameLength(rest)) {
        read(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
      if (rest.length > LINE_BYTES) rest = Buffer.alloc(0);
    },
    end: () => ({ usage, reported, bytes }),
  };
}

/** The length of the first frame once all of it is there. */
function frameLength(bytes: Buffer): number | null {
  if (bytes.length < 16) return null;
  const length = bytes.readUInt32BE(0);
  return length >= 16 && length <= bytes.length && 16 + bytes.readUInt32BE(4) <= length ? length : null;
}

function documentMeter(): Meter {
  let pieces: Buffer[] = [];
  let bytes = 0;
  return {
    push(chunk) {
      bytes += chunk.length;
      if (bytes <= DOCUMENT_BYTES) pieces.push(chunk);
      else pieces = [];
    },
    end() {
      const found = usageIn(parse(Buffer.concat(pieces).toString('utf8')), noUsage);
      return { usage: found ?? noUsage, reported: found !== null, bytes };
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // No message, or a part of one: a provider's stream may break off anywhere.
  }
}

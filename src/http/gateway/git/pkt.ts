/** git's framing: four hex digits of length (themselves included), then the payload; "0000" is a flush. */

/** One command of a push. */
export interface PushCommand {
  readonly oldSha: string;
  readonly newSha: string;
  readonly ref: string;
}

export type PushHead =
  /** The flush has not arrived yet. */
  | { readonly kind: 'more' }
  | { readonly kind: 'bad' }
  | {
      readonly kind: 'head';
      readonly commands: readonly PushCommand[];
      readonly capabilities: ReadonlySet<string>;
      /** A signed push or one from a shallow clone. */
      readonly extras: readonly ('certificate' | 'shallow')[];
      /** Bytes up to and including the flush; the pack begins here. */
      readonly length: number;
    };

const LENGTH_DIGITS = 4;
const COMMAND = /^([0-9a-f]{40}|[0-9a-f]{64}) ([0-9a-f]{40}|[0-9a-f]{64}) ([^\s\0]+)$/;

/** Reads what a push wants from the start of its body. */
export function parsePushHead(buffer: Buffer): PushHead {
  const commands: PushCommand[] = [];
  const capabilities = new Set<string>();
  const extras = new Set<'certificate' | 'shallow'>();
  for (let offset = 0; ; ) {
    const packet = readPacket(buffer, offset);
    if (packet.kind !== 'line') {
      if (packet.kind !== 'flush') return { kind: packet.kind };
      return { kind: 'head', commands, capabilities, extras: [...extras], length: packet.next };
    }
    offset = packet.next;
    const [line = '', names = ''] = packet.payload.toString('utf8').replace(/\n$/, '').split('\0', 2);
    for (const name of names.split(' ')) if (name !== '') capabilities.add(name);
    const match = COMMAND.exec(line);
    if (match) commands.push({ oldSha: match[1] ?? '', newSha: match[2] ?? '', ref: match[3] ?? '' });
    else if (line.startsWith('shallow ')) extras.add('shallow');
    // The lines of a certificate are not read: such a push is refused as a whole.
    else if (line === 'push-cert')
      return { kind: 'head', commands, capabilities, extras: ['certificate'], length: offset };
    else return { kind: 'bad' };
  }
}

export type Packet =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad' }
  | { readonly kind: 'flush'; readonly next: number }
  | { readonly kind: 'line'; readonly payload: Buffer; readonly next: number };

/** Reads one packet at `offset`. */
export function readPacket(buffer: Buffer, offset: number): Packet {
  if (buffer.length < offset + LENGTH_DIGITS) return { kind: 'more' };
  const digits = buffer.toString('latin1', offset, offset + LENGTH_DIGITS);
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) return { kind: 'bad' };
  const length = Number.parseInt(digits, 16);
  if (length === 0) return { kind: 'flush', next: offset + LENGTH_DIGITS };
  // 1 to 3 are special packets of protocol 2, which pushes do not use.
  if (length < LENGTH_DIGITS) return { kind: 'bad' };
  if (buffer.length < offset + length) return { kind: 'more' };
  return {
    kind: 'line',
    payload: buffer.subarray(offset + LENGTH_DIGITS, offset + length),
    next: offset + length,
  };
}

/** Frames one payload of at most 65,516 bytes. */
export function packet(payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([
    Buffer.from((bytes.length + LENGTH_DIGITS).toString(16).padStart(LENGTH_DIGITS, '0')),
    bytes,
  ]);
}

export const FLUSH = Buffer.from('0000');

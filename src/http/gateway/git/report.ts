import type { PushEnd } from '../backend.ts';
import { FLUSH, type PushCommand, packet, readPacket } from './pkt.ts';

const BAND = /^side-band(-64k)?$/;
/** Ours are short; a plain side-band frame holds 995 bytes, so that limit is kept. */
const FRAME_BYTES = 900;

type Capabilities = ReadonlySet<string>;

function hasBands(capabilities: Capabilities): boolean {
  return [...capabilities].some((name) => BAND.test(name));
}

/** The body of a reply that refuses every command, in the words of git's own protocol: "ng {ref} {reason}". */
export function refusalReport(
  commands: readonly PushCommand[],
  reason: string,
  capabilities: Capabilities,
): Buffer {
  const lines = commands.map(({ ref }) => packet(`ng ${ref} ${reason}\n`));
  const report = Buffer.concat([packet('unpack ok\n'), ...lines, FLUSH]);
  if (!hasBands(capabilities)) return report;
  const frames: Buffer[] = [];
  for (let at = 0; at < report.length; at += FRAME_BYTES) {
    frames.push(packet(Buffer.concat([Buffer.from([1]), report.subarray(at, at + FRAME_BYTES)])));
  }
  return Buffer.concat([...frames, FLUSH]);
}

/** Reads the host's report on a push of one ref. Cut off or unreadable means unknown, never accepted. */
export function readReport(body: Buffer, capabilities: Capabilities): PushEnd {
  const report = hasBands(capabilities) ? firstBand(body) : body;
  const lines = report && linesOf(report);
  if (!lines) return 'unknown';
  if (lines.some((line) => line.startsWith('ng ') || /^unpack (?!ok$)/.test(line))) return 'refused';
  return lines.some((line) => line.startsWith('ok ')) ? 'accepted' : 'unknown';
}

/** Joins band 1 of a multiplexed body; null when it is cut off or reports a fatal error. */
function firstBand(body: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let offset = 0; ; ) {
    const found = readPacket(body, offset);
    if (found.kind === 'flush') return Buffer.concat(parts);
    if (found.kind !== 'line' || found.payload[0] === 3) return null;
    if (found.payload[0] === 1) parts.push(found.payload.subarray(1));
    offset = found.next;
  }
}

/** The lines up to the flush; null when there is none. */
function linesOf(report: Buffer): string[] | null {
  const lines: string[] = [];
  for (let offset = 0; ; ) {
    const found = readPacket(report, offset);
    if (found.kind === 'flush') return lines;
    if (found.kind !== 'line') return null;
    lines.push(found.payload.toString('utf8').trimEnd());
    offset = found.next;
  }
}

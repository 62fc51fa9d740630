import type { Reply } from '../reply.ts';
import type { BranchChange } from '../rules.ts';

export interface Commands {
  readonly changes: BranchChange[];
  readonly sideBand: boolean;
}

/** Reads the ref updates at the head of a receive-pack request, up to the first flush packet. */
export function parseCommands(body: Buffer): Commands {
  const changes: BranchChange[] = [];
  let sideBand = false;
  let at = 0;
  while (at + 4 <= body.length) {
    const length = Number.parseInt(body.toString('latin1', at, at + 4), 16);
    if (!(length > 4)) break;
    const line = body.toString('utf8', at + 4, at + length);
    const [command = '', capabilities = ''] = line.split('\0');
    sideBand ||= capabilities.includes('side-band-64k');
    const match = /^([0-9a-f]{40}) ([0-9a-f]{40}) (.+?)\n?$/.exec(command);
    if (match) changes.push({ before: match[1]!, after: match[2]!, ref: match[3]! });
    at += length;
  }
  return { changes, sideBand };
}

function packet(content: Buffer): Buffer {
  return Buffer.concat([Buffer.from((content.length + 4).toString(16).padStart(4, '0')), content]);
}

/** The answer to a push of which nothing was done: git prints `! [remote rejected]` with the reason. */
export function refusalReport(commands: Commands, reasons: ReadonlyMap<string, string>): Reply {
  const lines = commands.changes.map(
    ({ ref }) => `ng ${ref} ${reasons.get(ref) ?? 'another ref of this push was refused'}\n`,
  );
  const report = Buffer.concat([
    ...['unpack ok\n', ...lines].map((line) => packet(Buffer.from(line))),
    Buffer.from('0000'),
  ]);
  const body = commands.sideBand
    ? Buffer.concat([packet(Buffer.concat([Buffer.from([1]), report])), Buffer.from('0000')])
    : report;
  const headers = { 'content-type': 'application/x-git-receive-pack-result', 'cache-control': 'no-cache' };
  return { status: 200, body, headers };
}

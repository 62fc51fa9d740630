import { UserError } from '../../errors.ts';

/** More than any key has; a whole file given by mistake is not read to its end. */
const MOST_BYTES = 64 * 1024;

/**
 * What a person gives on standard input; at a terminal it is asked for and not shown.
 * @throws UserError when it is too long, or when the person broke off
 */
export function readSecretInput(question: string): Promise<string> {
  return process.stdin.isTTY ? ask(question) : readAll(process.stdin);
}

async function readAll(input: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new UserError('That is longer than any key: nothing was set.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const ENTER = ['\r', '\n', '\u0004'];
const BREAK = '\u0003';
const BACK = ['\u007f', '\b'];

/** One line from the terminal, which shows nothing of it. */
function ask(question: string): Promise<string> {
  const { stdin, stderr } = process;
  return new Promise((resolve, reject) => {
    let line = '';
    function settle(end: () => void): void {
      stdin.off('data', take).pause().setRawMode(false);
      stderr.write('\n');
      end();
    }
    function take(chunk: Buffer): void {
      for (const character of withoutEscapes(chunk.toString())) {
        if (character === BREAK) {
          settle(() => reject(new UserError('Broken off: nothing was set.')));
          return;
        }
        if (ENTER.includes(character)) {
          settle(() => resolve(line));
          return;
        }
        line = BACK.includes(character) ? line.slice(0, -1) : line + character;
      }
    }
    // Before the question, since whoever reads it may type at once.
    stdin.setRawMode(true).on('data', take);
    stderr.write(question);
  });
}

/** Drops what arrow keys and their like send. */
function withoutEscapes(typed: string): string {
  const [before = '', ...rest] = typed.split('\u001b');
  return before + rest.map((text) => text.replace(/^\[[0-9;?]*[A-Za-z~]/, '')).join('');
}

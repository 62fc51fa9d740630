/** Longer lines are skipped whole: a child that never ends its line must not fill the memory. Characters. */
const LINE_LIMIT = 4 * 1024 * 1024;

/** Cuts a stream of text into lines; `end` hands out what follows the last line break. */
export function createLineSplitter(
  onLine: (line: string) => void,
  limit: number = LINE_LIMIT,
): { push(text: string): void; end(): void } {
  let rest = '';
  let skipping = false;
  const finish = (line: string): void => {
    if (!skipping && line.length <= limit && line !== '') onLine(line);
    skipping = false;
  };
  return {
    push(text) {
      const parts = text.split('\n');
      const last = parts.pop() ?? '';
      for (const part of parts) {
        finish(rest + part);
        rest = '';
      }
      rest += last;
      if (rest.length > limit) {
        skipping = true;
        rest = '';
      }
    },
    end() {
      finish(rest);
      rest = '';
    },
  };
}

import { readFileSync } from 'node:fs';

const DOC = new URL('../../docs/github-calls.md', import.meta.url);

/** What docs/github-calls.md lists: how often each route is called for one spec, and the routes of bad days. */
export function listedCalls(): { usual: Map<string, number>; rare: string[] } {
  const [usual = '', rare = ''] = readFileSync(DOC, 'utf8').split('## Only when');
  const rows = (text: string) =>
    text
      .split('\n')
      .filter((row) => row.startsWith('| `'))
      .map((row) => row.split('|').map((cell) => cell.trim()));
  return {
    usual: new Map(rows(usual).map(([, route = '', , times]) => [route.replaceAll('`', ''), Number(times)])),
    rare: rows(rare).map(([, route = '']) => route.replaceAll('`', '')),
  };
}

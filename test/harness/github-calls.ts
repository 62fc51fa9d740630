import { readdirSync, readFileSync } from 'node:fs';

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

const SOURCE = new URL('../../src/github/', import.meta.url);

/** Every route that the source names, sorted: the only code that calls GitHub's REST API is in that folder. */
export function namedRoutes(): string[] {
  const texts = readdirSync(SOURCE).map((file) => readFileSync(new URL(file, SOURCE), 'utf8'));
  const routes = texts.flatMap((text) => text.match(/(?<=')(GET|POST|PATCH|PUT|DELETE) \/[^']+(?=')/g) ?? []);
  return [...new Set(routes)].toSorted();
}

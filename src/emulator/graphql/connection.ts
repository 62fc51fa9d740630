import { refusal } from './context.ts';

export interface PageArguments {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

const MAX_PAGE = 100;

function cursor(index: number): string {
  return Buffer.from(`cursor:v2:${index}`).toString('base64');
}

function indexOf(text: string | null | undefined, fallback: number): number {
  if (text === null || text === undefined) return fallback;
  const match = /^cursor:v2:(\d+)$/.exec(Buffer.from(text, 'base64').toString());
  if (!match) throw refusal('INVALID_CURSOR_ARGUMENTS', `\`${text}\` does not appear to be a valid cursor.`);
  return Number(match[1]);
}

function requireBounds(name: string, { first, last }: PageArguments): void {
  const size = first ?? last;
  if (size === null || size === undefined)
    throw refusal(
      'MISSING_PAGINATION_BOUNDARIES',
      `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`,
    );
  if (size < 0 || size > MAX_PAGE)
    throw refusal(
      'EXCESSIVE_PAGINATION',
      `Requesting ${size} records on the \`${name}\` connection exceeds the \`first\` limit of ${MAX_PAGE} records.`,
    );
}

/** One page of a list, with GitHub's rules: a page has to be bounded, and by 100 at most. */
export function connection<T>(name: string, all: readonly T[], page: PageArguments) {
  requireBounds(name, page);
  const from = indexOf(page.after, 0);
  const to = indexOf(page.before, all.length + 1) - 1;
  const between = all.map((node, index) => ({ node, cursor: cursor(index + 1) })).slice(from, to);
  const edges =
    typeof page.first === 'number'
      ? between.slice(0, page.first)
      : between.slice(Math.max(0, between.length - (page.last ?? 0)));
  const firstIndex = edges[0] ? indexOf(edges[0].cursor, 0) : 0;
  const lastIndex = indexOf(edges.at(-1)?.cursor, firstIndex);
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
      hasPreviousPage: firstIndex > 1,
      hasNextPage: edges.length > 0 && lastIndex < all.length,
    },
    totalCount: all.length,
  };
}

import { type GithubDescription, readGithubDescription } from './openapi.ts';

/**
 * Holds what passes through the global `fetch` against GitHub's own description, and notes in `found` what it does not
 * know: in requests a path, parameter or field, or one that is missing; in answers a status, field or type. A canned
 * answer may leave out what nobody reads. Answers the way back.
 */
export function watchFetch(found: string[]): () => void {
  const github = readGithubDescription();
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const path = pathname.replace(/^\/api\/v3/, '');
    const route = github.routeOf(init?.method ?? 'GET', path) ?? `${init?.method} ${path}`;
    const body: unknown = typeof init?.body === 'string' ? JSON.parse(init.body) : {};
    const problems = github.inRequest({ route, path: path + search, body });
    found.push(...problems.map((problem) => `${route}: ${problem}`));
    const response = await fetch(input, init);
    found.push(...(await inResponse(github, route, response.clone())));
    return response;
  };
  return () => {
    globalThis.fetch = fetch;
  };
}

async function inResponse(github: GithubDescription, route: string, response: Response): Promise<string[]> {
  const { status } = response;
  // What GitHub's servers say when they fail is described nowhere.
  if (status >= 500) return [];
  const problems = github.inPartOfAnswer({ route, status, body: parsed(await response.text()) });
  return problems.map((problem) => `${route} ${status}: ${problem}`);
}

/** Undefined for an empty text; a text that is no JSON as it is. */
function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

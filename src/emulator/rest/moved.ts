import { api } from '../payloads/accounts.ts';
import type { Reply } from '../reply.ts';
import type { World } from '../state.ts';

/** Where a repository that had this name once is now: by its id, with the rest of the path; null when none had it. */
export function movedTo(
  world: World,
  former: string,
  request: { readonly method: string; readonly rest: string; readonly query: URLSearchParams },
): Reply | null {
  const id = world.formerNames.get(former.toLowerCase());
  if (id === undefined || !world.repositories.has(id)) return null;
  const query = request.query.size > 0 ? `?${request.query.toString()}` : '';
  const url = `${api(world)}/repositories/${id}${request.rest}${query}`;
  const status = request.method === 'GET' ? 301 : 307;
  const message = status === 301 ? 'Moved Permanently' : 'Temporary Redirect';
  return {
    status,
    body: { message, url, documentation_url: 'https://docs.github.com/rest' },
    headers: { location: url },
  };
}

import type { GitHubOptions } from './client.ts';

/** Where the API and the pages of github.com or of a GitHub Enterprise Server are. */
export function originOf({ host, protocol = 'https' }: Pick<GitHubOptions, 'host' | 'protocol'>): {
  api: string;
  web: string;
} {
  if (host === undefined) return { api: 'https://api.github.com', web: 'https://github.com' };
  const web = `${protocol}://${host}`;
  return { api: `${web}/api/v3`, web };
}

/** GitHub redirects a renamed repository to its id; anything else (a transferred issue) is not ours to follow. */
export function isSameRepository(
  api: string,
  repositoryId: number,
  location: string | undefined,
): location is string {
  const home = `${api}/repositories/${repositoryId}`;
  return location?.startsWith(home) === true && /^([/?]|$)/.test(location.slice(home.length));
}

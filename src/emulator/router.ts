export interface RouteKey {
  readonly method: string;
  /** GitHub's own template; a name with `...` in front of the closing brace takes slashes too: `/contents/{path...}`. */
  readonly path: string;
}

export interface Match<R> {
  readonly route: R;
  readonly params: Record<string, string>;
}

export interface Router<R> {
  /** The first route that fits, by method and decoded path; `allowed` tells whether another method would. */
  find(method: string, path: string): Match<R> | null;
}

/** Compiles routes; earlier ones win. */
export function createRouter<R extends RouteKey>(routes: readonly R[]): Router<R> {
  const compiled = routes.map((route) => ({ route, ...compile(route.path) }));
  return {
    find(method, path) {
      for (const { route, pattern, names } of compiled) {
        const match = route.method === method ? pattern.exec(path) : null;
        if (match) return { route, params: paramsOf(names, match) };
      }
      return null;
    },
  };
}

function compile(path: string): { pattern: RegExp; names: string[] } {
  const names: string[] = [];
  const source = path.replace(/[.*+?^$()|[\]\\]|\{([^}]+)\}/g, (text, name: string | undefined) => {
    if (!name) return `\\${text}`;
    names.push(name.replace('...', ''));
    return name.endsWith('...') ? '(.*)' : '([^/]+)';
  });
  return { pattern: new RegExp(`^${source}$`), names };
}

function paramsOf(names: readonly string[], match: RegExpExecArray): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, decode(match[index + 1] ?? '')]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone percent sign is taken as it is
  }
}

/** A route as the request log names it: `GET /repos/{owner}/{repo}/contents/{path}`. */
export function routeName(route: RouteKey): string {
  return `${route.method} ${route.path.replaceAll('...}', '}')}`;
}

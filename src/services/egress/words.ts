import { code } from '../markdown/markdown.ts';

/** A host that sandboxes asked for and did not get. */
export interface RefusedHost {
  readonly host: string;
  readonly port: number;
  readonly times: number;
}

/** "`x.example` (3 times)", for people. */
export function hostWords({ host, port, times }: RefusedHost): string {
  const name = code(port === 443 ? host : `${host}:${port}`, 120);
  return `${name} (${times === 1 ? 'once' : `${times} times`})`;
}

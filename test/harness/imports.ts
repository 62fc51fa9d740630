import { posix } from 'node:path';

/** One import or re-export of a source file. */
export interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Path of the imported file from the repository's root, or null for a package. */
  readonly to: string | null;
  /** True when nothing of it is left once types are stripped. */
  readonly typeOnly: boolean;
}

const statement = /^(?:import|export)\s+(?:(type)\s+)?([\w*{}\s,$]*?)\s*from\s*['"]([^'"]+)['"]/gm;
const bare = /^import\s*['"]([^'"]+)['"]/gm;
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]/g;

/** Every import of a file: static, for effects, and dynamic with a literal name. */
export function importsOf(from: string, text: string): Import[] {
  // What stands in a template string is somebody else's code.
  const source = text.replace(/`(?:\\[\s\S]|[^`\\])*`/g, '``');
  const made = (specifier: string, typeOnly: boolean): Import => ({
    from,
    specifier,
    to: specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), specifier)) : null,
    typeOnly,
  });
  return [
    ...[...source.matchAll(statement)].map(([, type, names = '', specifier = '']) =>
      made(specifier, type !== undefined || onlyTypes(names)),
    ),
    ...[...source.matchAll(bare)].map(([, specifier = '']) => made(specifier, false)),
    ...[...source.matchAll(dynamic)].map(([, specifier = '']) => made(specifier, false)),
  ];
}

function onlyTypes(names: string): boolean {
  const inner = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
  if (inner === undefined) return false;
  const parts = inner
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return parts.length > 0 && parts.every((part) => part.startsWith('type '));
}

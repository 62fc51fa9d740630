import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../', import.meta.url);

/** The arguments with which `npm start` runs Node: flags, the program's absolute path, the verb. */
export function startCommand(): string[] {
  const manifest = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
    scripts: { start: string };
  };
  const [node, ...args] = manifest.scripts.start.split(' ');
  if (node !== 'node') throw new Error('npm start does not begin with node');
  return args.map((arg) => (arg.endsWith('.ts') ? fileURLToPath(new URL(arg, ROOT)) : arg));
}

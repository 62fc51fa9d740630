// Writes the files that are made from the code; with --check it only says which are out of date, and fails.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { pages } from './docs/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
let stale = 0;

for (const page of pages) {
  const path = root + page.path;
  const wanted = page.render();
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === wanted) continue;
  stale += 1;
  if (!check) await writeFile(path, wanted);
  process.stdout.write(`${check ? 'out of date' : 'written'}: ${page.path}\n`);
}

if (check && stale > 0) {
  process.stdout.write('Run "npm run docs" and commit the result.\n');
  process.exitCode = 1;
}

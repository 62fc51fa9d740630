// Makes test/fixtures/github-openapi.json anew: downloads GitHub's own description of its API as @octokit/openapi
// has it (MIT; 385 MB unpacked, so no dependency) and keeps what the App, the emulator and the tests need of it.
// With --check nothing is downloaded: it says whether an operation is used that the file does not have, and fails.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { share } from './openapi/share.ts';
import { type Description, trim, type Whole } from './openapi/trim.ts';
import { missingIn, wantedEvents, wantedRoutes } from './openapi/wanted.ts';

const VERSION = '23.0.2';
// The oldest GitHub Enterprise Server that the package describes.
const SERVER = '3.17';
const FILE = new URL('../test/fixtures/github-openapi.json', import.meta.url);

async function download(folder: string): Promise<{ cloud: Whole; server: Whole; license: string }> {
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  run('npm', ['pack', '--silent', `@octokit/openapi@${VERSION}`]);
  const parts = ['LICENSE', 'generated/api.github.com.json', `generated/ghes-${SERVER}.json`];
  run('tar', ['xzf', `octokit-openapi-${VERSION}.tgz`, ...parts.map((part) => `package/${part}`)]);
  const [license = '', cloud = '', server = ''] = await Promise.all(
    parts.map((part) => readFile(join(folder, 'package', part), 'utf8')),
  );
  return {
    license: license.trim(),
    cloud: JSON.parse(cloud) as Whole,
    server: JSON.parse(server) as Whole,
  };
}

async function make(): Promise<Description> {
  const folder = await mkdtemp(join(tmpdir(), 'openapi-'));
  try {
    const { cloud, server, license } = await download(folder);
    const routes = wantedRoutes();
    const lacks = routes.filter((route) => {
      const [method = '', path = ''] = route.split(' ');
      return !server.paths[path]?.[method.toLowerCase()];
    });
    return {
      about: `Parts of @octokit/openapi ${VERSION}, without texts and examples. Made by scripts/trim-openapi.ts.`,
      license,
      ghes: { version: SERVER, lacks },
      ...share(trim(cloud, { routes, events: wantedEvents() })),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One line for each operation, event and schema, so that a new version can be compared with the old one. */
function print(description: Description): string {
  const sections = Object.entries(description).map(([name, value]) => {
    if (typeof value === 'string') return `"${name}": ${JSON.stringify(value)}`;
    const lines = Object.entries(value as object).map(
      ([key, one]) => `${JSON.stringify(key)}: ${JSON.stringify(one)}`,
    );
    return `"${name}": {\n${lines.join(',\n')}\n}`;
  });
  return `{\n${sections.join(',\n')}\n}\n`;
}

if (process.argv.includes('--check')) {
  const missing = missingIn(JSON.parse(await readFile(FILE, 'utf8')) as Description);
  for (const name of missing) process.stdout.write(`not described: ${name}\n`);
  if (missing.length > 0) {
    process.stdout.write('Run "node scripts/trim-openapi.ts" and commit the result.\n');
    process.exitCode = 1;
  }
} else {
  await writeFile(FILE, print(await make()));
}

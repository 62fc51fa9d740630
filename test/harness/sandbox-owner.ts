/**
 * A program that owns one sandbox, for tests that need an owner of its own: it can be killed, or run as another
 * user. Argument: JSON of { root, words, script?, unsafe? }. Prints one JSON line; ends itself only with `script`.
 */
import { createLocalProvider } from '../../src/sandbox/local.ts';
import { serveText } from './serve-text.ts';

const {
  root,
  words,
  script,
  unsafe = false,
} = JSON.parse(process.argv[2] ?? '') as {
  root: string;
  /** Marks of programs that are left running: one in the session of its own, one as it was started. */
  words: readonly [string, string];
  script?: string;
  unsafe?: boolean;
};
const provider = createLocalProvider({ root, unsafe });
const probe = await provider.probe();
let socket = '';
await provider.create({
  id: 'owned',
  labels: {},
  limits: { memoryMb: 512, cpus: 1, processes: 100, diskMb: 50 },
  files: [{ path: '/opt/specwright/tool.txt', content: 'tool' }],
  serveGateway(path) {
    socket = path;
    return serveText(path, 'gateway');
  },
});
const env = { PATH: '/usr/bin:/bin', HOME: provider.paths('owned').home };
const loop = 'while :; do sleep 0.02; done';
const detached = `setsid sh -c "${loop}" "$1" >/dev/null 2>&1 &`;
await provider.exec('owned', { argv: ['/bin/sh', '-c', detached, 'sh', words[0]], env });
await provider.spawn('owned', { argv: ['/bin/sh', '-c', loop, words[1]], env });
const output =
  script === undefined
    ? null
    : await provider.exec('owned', { argv: ['/bin/sh', '-c', script], env, timeoutMs: 20_000 });
process.stdout.write(
  `${JSON.stringify({ probe, socket, output, externalId: (await provider.get('owned'))?.externalId })}\n`,
);
if (script !== undefined) await provider.close();

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WEBHOOK_PATH } from '../config.ts';
import { type Emulator, GITHUB_SECONDARY_LIMITS, startEmulator } from '../emulator/emulator.ts';
import { type DemoWorld, seedDemo } from '../emulator/seed.ts';
import { UserError } from '../errors.ts';

const SCRIPT = fileURLToPath(new URL('demo-script.json', import.meta.url));

/** `specwright emulator`: the emulated GitHub alone, with what is needed to point things at it. */
export async function emulator(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      webhook: { type: 'string', default: `http://127.0.0.1:3000${WEBHOOK_PATH}` },
    },
  });
  if (!URL.canParse(values.webhook)) throw new UserError(`--webhook: "${values.webhook}" is no URL.`);
  const github = await startEmulator({ port: portOf(values.port) });
  github.hooks.secondaryLimits = GITHUB_SECONDARY_LIMITS;
  const webhookSecret = randomBytes(32).toString('hex');
  const world = await seedDemo(github, { webhookSecret, webhookUrl: values.webhook });
  const stopped = nextSignal();
  process.stdout.write(instructions({ github, world, webhookSecret, webhook: values.webhook }));
  await stopped;
  await github.close();
  return 0;
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UserError(`--port: "${text}" is no port; it has to be a number from 0 (any free one) to 65535.`);
}

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

interface Setting {
  readonly github: Emulator;
  readonly world: DemoWorld;
  readonly webhookSecret: string;
  readonly webhook: string;
}

function instructions({ github, world, webhookSecret, webhook }: Setting): string {
  const { host } = new URL(github.url);
  const { maintainer, reader, outsider } = world.people;
  const key = Buffer.from(world.app.privateKey).toString('base64');
  const repo = world.repo.fullName;
  return `The emulated GitHub is at ${github.url}

Run the App against it, with the demo's script as its agent (in another terminal):

  GHE_HOST=${host} GHE_PROTOCOL=http APP_ID=${world.app.id} \\
  WEBHOOK_SECRET=${webhookSecret} \\
  AGENT=scripted AGENT_SCRIPT='${SCRIPT}' \\
  PRIVATE_KEY=${key} \\
  npm start

Webhooks go to ${webhook} (change it with --webhook URL).

Be a person, with git and any REST client:

  ${maintainer.login}      may write      ${maintainer.token}
  ${reader.login}    may read       ${reader.token}
  ${outsider.login}  is a stranger  ${outsider.token}

  git clone http://${maintainer.login}:${maintainer.token}@${host}/${repo}.git

  curl -H 'authorization: Bearer ${maintainer.token}' ${github.apiUrl}/repos/${repo}/issues \\
    -d '{"title": "Greet people by time of day", "labels": ["spec"]}'

Look at ${github.url}/${repo} in a browser. Press Ctrl-C to stop; everything in it goes then.
`;
}

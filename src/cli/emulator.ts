import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startEmulator } from '../emulator/emulator.ts';
import { seedDemo } from '../emulator/seed.ts';

/** `specwright emulator`: the emulated GitHub alone, with what is needed to point things at it. */
export async function emulator(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      webhook: { type: 'string', default: 'http://127.0.0.1:3000/api/github/webhooks' },
    },
  });
  const github = await startEmulator({ port: Number(values.port) });
  const webhookSecret = randomBytes(32).toString('hex');
  const world = await seedDemo(github, { webhookSecret, webhookUrl: values.webhook });
  const { host } = new URL(github.url);
  const { maintainer } = world.people;
  const key = Buffer.from(world.app.privateKey).toString('base64');
  process.stdout.write(`The emulated GitHub is at ${github.url}

Run the App against it (in another terminal):

  GHE_HOST=${host} GHE_PROTOCOL=http APP_ID=${world.app.id} WEBHOOK_SECRET=${webhookSecret} \\
  PRIVATE_KEY=${key} \\
  npm start

Webhooks go to ${values.webhook} (change with --webhook URL).

Be a person (${maintainer.login}, write permission) with git and curl:

  git clone http://${maintainer.login}:${maintainer.token}@${host}/${world.repo.fullName}.git
  curl -H 'authorization: Bearer ${maintainer.token}' ${github.apiUrl}/repos/${world.repo.fullName}

Look at ${github.url}/${world.repo.fullName} in a browser. Press Ctrl-C to stop; everything in it goes then.
`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await github.close();
  return 0;
}

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import SmeeClient from 'smee-client';
import { WEBHOOK_PATH } from '../config.ts';
import { configOrExit, loadDotEnv } from './environment.ts';

const WARNING = `Warning: smee.io is a public relay. Everything GitHub sends (issue texts, names, private repositories'
data) passes through it and can be read by whoever knows the channel's address. Use it for development only.
`;

/** `specwright dev`: forwards webhooks through smee and restarts the App when a source changes. */
export async function dev(): Promise<number> {
  loadDotEnv();
  const config = configOrExit(process.env);
  if (typeof config === 'number') return config;
  if (config.port === 0) {
    process.stderr.write('Set PORT to a fixed port: smee has to know where to send.\n');
    return 78;
  }
  process.stderr.write(WARNING);
  const source = config.webhookProxyUrl ?? (await SmeeClient.createChannel());
  process.stderr.write(`Webhook URL for the App's settings: ${source}\n`);
  const target = `http://127.0.0.1:${config.port}${WEBHOOK_PATH}`;
  const smee = new SmeeClient({ source, target, logger: { info: () => {}, error: console.error } });
  await smee.start();
  const code = await runReloading();
  await smee.stop();
  return code;
}

/** Node itself watches the sources. */
function runReloading(): Promise<number> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--watch', '--watch-preserve-output', main, 'start'], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

/** The App as a process of its own, started as in production. */
import { generateKeyPairSync } from 'node:crypto';
import { startCommand } from '../../test/harness/start-command.ts';
import { type Child, startChild } from './child.ts';

export interface AppOptions {
  readonly role: 'all' | 'web' | 'worker';
  /** Undefined: the embedded PostgreSQL in `folder`. */
  readonly databaseUrl?: string;
  readonly webhookSecret: string;
  /** For what the process keeps on disk. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts it; `found` is its URL. No GitHub is there: for measurements whose deliveries ask it nothing. */
export function startApp({ role, databaseUrl, webhookSecret, folder, env }: AppOptions): Promise<Child> {
  const flags = startCommand();
  const [program] = flags.splice(-2) as [string, string];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return startChild({
    flags,
    program,
    args: ['start'],
    env: {
      APP_ID: '1',
      PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      WEBHOOK_SECRET: webhookSecret,
      DATA_DIR: folder,
      PORT: '0',
      GHE_HOST: '127.0.0.1:1',
      GHE_PROTOCOL: 'http',
      ROLE: role,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...env,
    },
    ready: /"url":"([^"]+)"[^\n]*Specwright is ready/,
  });
}

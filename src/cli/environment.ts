import { existsSync } from 'node:fs';
import { type Config, loadConfig } from '../config.ts';
import { configProblems, credentialsSteps, EXIT_CONFIG } from './credentials-steps.ts';

/** Reads `.env` where there is one; what the environment says already stands. */
export function loadDotEnv(): void {
  if (existsSync('.env')) process.loadEnvFile('.env');
}

/** The configuration, or the exit code after the reason was printed. */
export function configOrExit(env: NodeJS.ProcessEnv): Config | typeof EXIT_CONFIG {
  const read = loadConfig(env);
  if (read.ok) return read.config;
  const webUrl = env.GHE_HOST ? `${env.GHE_PROTOCOL ?? 'https'}://${env.GHE_HOST}` : 'https://github.com';
  process.stderr.write(
    read.kind === 'no_credentials'
      ? credentialsSteps({ webUrl, publicUrl: env.PUBLIC_URL ?? null })
      : configProblems(read.problems),
  );
  return EXIT_CONFIG;
}

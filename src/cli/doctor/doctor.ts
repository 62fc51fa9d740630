import { parseArgs } from 'node:util';
import { systemClock } from '../../clock.ts';
import { type Config, type ConfigReading, loadConfig, secretsOf } from '../../config.ts';
import { createGitHub, type GitHub } from '../../github/client.ts';
import { createLogger } from '../../log.ts';
import { EXIT_CONFIG } from '../credentials-steps.ts';
import { loadDotEnv } from '../environment.ts';
import { checkCredentials } from './credentials.ts';
import { checkDatabase } from './database.ts';
import { type Finding, guarded, ok, unknown, wrong } from './finding.ts';
import { checkGitHub } from './github.ts';
import { render } from './render.ts';
import { checkAgent, checkSandbox } from './sandbox.ts';
import { checkWebhook } from './webhook.ts';

/**
 * `specwright doctor`: says in plain words what is wrong with a set-up. It changes nothing but that a running App stores
 * one ping. Exit code 0 when
 * nothing is wrong, 1 when something is, 78 when settings keep the App from starting at all.
 */
export async function doctor(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  loadDotEnv();
  const read = loadConfig(process.env);
  const findings = read.ok ? await examine(read.config) : settings(read);
  process.stdout.write(values.json ? `${JSON.stringify({ findings })}\n` : render(findings));
  if (!read.ok) return EXIT_CONFIG;
  return findings.some(({ verdict }) => verdict === 'wrong') ? 1 : 0;
}

function settings(read: Extract<ConfigReading, { ok: false }>): Finding[] {
  const found = read.problems.map(({ name, problem, fix }) => wrong(name, `It ${problem}.`, fix));
  if (read.kind === 'no_credentials')
    found.push(
      unknown('GitHub App', 'There is none set up yet; "npm start" prints how to get one, step by step.'),
    );
  return found;
}

async function examine(config: Config): Promise<Finding[]> {
  const log = createLogger({ level: 'silent', secrets: secretsOf(config) });
  const gh = createGitHub({
    appId: config.appId,
    privateKey: config.privateKey,
    host: config.github.host ?? undefined,
    protocol: config.github.protocol,
    // Questions only: nothing is written that a budget would have to count.
    budget: { take: async () => ({ ok: true }) },
    clock: systemClock,
    log,
    userAgent: 'specwright-doctor',
  });
  const found = [
    ok('Settings', 'They are complete and sound.'),
    ...(await guarded('GitHub', () => ofGitHub(config, gh))),
    ...(await guarded('Database', () => checkDatabase(config))),
    ...(await guarded('Sandbox', async () => [await checkSandbox(config)])),
    ...(await guarded('Agent', async () => [await checkAgent(config)])),
    ...(await guarded('Model credentials', () => checkCredentials(config))),
  ];
  const said = (text: string) => log.censor(text);
  return found.map(({ fix, ...finding }) => ({
    ...finding,
    says: said(finding.says),
    ...(fix === undefined ? {} : { fix: said(fix) }),
  }));
}

/** Looks at all that only GitHub can tell of a set-up. */
export async function ofGitHub(config: Config, gh: GitHub): Promise<readonly Finding[]> {
  const { findings, app } = await checkGitHub(config, gh);
  if (!app)
    return [...findings, unknown('Webhook', 'It can be looked at once GitHub accepts the credentials.')];
  return [...findings, ...(await guarded('Webhook', () => checkWebhook(config, gh)))];
}

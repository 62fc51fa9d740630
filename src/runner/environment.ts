import { dirname } from 'node:path';
import type { RunnerConfig } from './protocol.ts';

/** Wherever they come from, these never reach a child: a sandbox holds no credential of ours. */
const NEVER = [
  'GITHUB_TOKEN',
  'ANTHROPIC_API_KEY',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'CREDENTIAL_KEYS',
];

/** The whole environment of a run: nothing is inherited from the runner's own process. */
export function runEnvironment(
  config: RunnerConfig,
  run: {
    phase: string;
    gatewayUrl: string;
    extra?: Readonly<Record<string, string>>;
    /** Whether programs of agents are found. */
    withAgents?: boolean;
  },
): Record<string, string> {
  const environment = {
    ...config.environment,
    ...run.extra,
    SPEC_PHASE: run.phase,
    GATEWAY_URL: run.gatewayUrl,
    ...proxy(config, run.gatewayUrl),
    ...basics(config, run.withAgents === true ? (config.agents ?? null) : null),
  };
  return without(environment, NEVER);
}

/** The gateway is the proxy of whatever speaks TLS; it alone is asked directly. */
function proxy(config: RunnerConfig, gatewayUrl: string): Record<string, string> {
  if (config.gateway.kind !== 'socket') return {};
  const { host } = new URL(gatewayUrl);
  // The generation stands where a proxy's user name does: every program sends that.
  const address = `http://${config.generation}:sandbox@${host}`;
  const direct = '127.0.0.1,localhost';
  return {
    HTTPS_PROXY: address,
    https_proxy: address,
    HTTP_PROXY: address,
    http_proxy: address,
    NO_PROXY: direct,
    no_proxy: direct,
  };
}

/**
 * The environment of the runner's own git: no prompt, no system-wide configuration, no large-file downloads.
 * `author` makes it the author and committer of what it writes.
 */
export function gitEnvironment(
  config: RunnerConfig,
  author?: { name: string; email: string },
): Record<string, string> {
  return {
    ...basics(config),
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_LFS_SKIP_SMUDGE: '1',
    ...(author && {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
    }),
  };
}

function basics(config: RunnerConfig, agents: string | null = null): Record<string, string> {
  return {
    HOME: config.home,
    // Node's folder comes first so that `node` and `npm` are the ones the sandbox was given.
    PATH: [
      dirname(config.node),
      ...(agents === null ? [] : [agents]),
      '/usr/local/bin',
      '/usr/bin',
      '/bin',
    ].join(':'),
    LANG: 'C.UTF-8',
  };
}

function without(environment: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)));
}

import type { VariableName } from './config-schema.ts';

/** What an operator has to know of one variable. */
export interface Variable {
  readonly group: string;
  /** What it does, in one or two sentences. */
  readonly about: string;
  /** What to set when it is missing or wrong; continues "Set …". */
  readonly fix: string;
  /** What `.env.example` shows after the `=`; empty for secrets and for what has no sensible example. */
  readonly example: string;
  /** False for what the example leaves commented out, since the default serves most. */
  readonly needed?: true;
  readonly secret?: true;
}

const RANDOM = 'openssl rand -hex 32';

/** Every variable, in the order in which `.env.example` shows them. */
export const variables: Readonly<Record<VariableName, Variable>> = {
  APP_ID: {
    group: 'GitHub App',
    about: 'The App\'s number: "App ID" on the App\'s settings page.',
    fix: 'APP_ID to the number that the App\'s settings page shows as "App ID"',
    example: '',
    needed: true,
  },
  PRIVATE_KEY: {
    group: 'GitHub App',
    about:
      'The App\'s private key: the PEM text itself, the text with line ends written as \\n, or all of it in base64 ("base64 -w0 key.pem").',
    fix: 'PRIVATE_KEY to the PEM text of a key that the App\'s settings page generated ("base64 -w0 key.pem" gives a form without line ends), or PRIVATE_KEY_PATH to the file',
    example: '',
    needed: true,
    secret: true,
  },
  PRIVATE_KEY_PATH: {
    group: 'GitHub App',
    about: 'The file with the private key, read when PRIVATE_KEY is unset. Its mode should be 0400.',
    fix: 'PRIVATE_KEY_PATH to the .pem file that GitHub gave you, readable by this process',
    example: './specwright.private-key.pem',
  },
  WEBHOOK_SECRET: {
    group: 'GitHub App',
    about: "Signs every webhook. At least 32 bytes, the same as on the App's settings page.",
    fix: `WEBHOOK_SECRET to at least 32 random bytes ("${RANDOM}") and enter the same on the App's settings page`,
    example: '',
    needed: true,
    secret: true,
  },
  WEBHOOK_SECRET_PREVIOUS: {
    group: 'GitHub App',
    about:
      'Accepted beside WEBHOOK_SECRET while you change it, so that no delivery is lost. Remove it afterwards.',
    fix: 'WEBHOOK_SECRET_PREVIOUS to the secret that was valid before, or remove it',
    example: '',
    secret: true,
  },
  PORT: {
    group: 'HTTP',
    about: 'The one port for webhooks, API and health. 0 takes a free one and logs it.',
    fix: 'PORT to a number from 0 to 65535',
    example: '3000',
  },
  HOST: {
    group: 'HTTP',
    about: 'The address to listen on. 0.0.0.0 for all of them, which a container needs.',
    fix: 'HOST to an address of this machine',
    example: '127.0.0.1',
  },
  PUBLIC_URL: {
    group: 'HTTP',
    about: 'Where GitHub and people reach this App, without a path. Used for links and the webhook address.',
    fix: 'PUBLIC_URL to the address under which this App is reached, such as https://specwright.example.com',
    example: 'https://specwright.example.com',
  },
  WEBHOOK_PROXY_URL: {
    group: 'HTTP',
    about:
      'A smee.io channel for "npm run dev" on a machine that GitHub cannot reach. Everybody who knows the channel, and its operator, sees your payloads.',
    fix: 'WEBHOOK_PROXY_URL to a channel made at https://smee.io/new, or remove it',
    example: 'https://smee.io/your-channel',
  },
  API_TOKEN: {
    group: 'HTTP',
    about: "The bearer token of the operator's API. At least 32 bytes; without it the API answers 401.",
    fix: `API_TOKEN to at least 32 random bytes ("${RANDOM}"), or remove it to leave the API closed`,
    example: '',
    secret: true,
  },
  LOG_LEVEL: {
    group: 'HTTP',
    about: 'trace, debug, info, warn, error or fatal. Logs are JSON lines on standard error.',
    fix: 'LOG_LEVEL to trace, debug, info, warn, error or fatal',
    example: 'info',
  },
  GHE_HOST: {
    group: 'GitHub Enterprise Server',
    about: 'The host of a GitHub Enterprise Server, with a port where needed. Unset means github.com.',
    fix: 'GHE_HOST to a host name such as github.example.com, or remove it for github.com',
    example: 'github.example.com',
  },
  GHE_PROTOCOL: {
    group: 'GitHub Enterprise Server',
    about: 'https or http (http only for a server on this machine, such as the emulator).',
    fix: 'GHE_PROTOCOL to https or http',
    example: 'https',
  },
  DATABASE_URL: {
    group: 'Data',
    about: 'PostgreSQL 15 or newer. Unset: an embedded PostgreSQL keeps its data in DATA_DIR.',
    fix: 'DATABASE_URL to postgres://user:password@host:5432/database, or remove it for the embedded PostgreSQL',
    example: 'postgres://specwright@127.0.0.1:5432/specwright',
    secret: true,
  },
  DATA_DIR: {
    group: 'Data',
    about: 'The folder of the embedded PostgreSQL and of anything else that outlives a restart.',
    fix: 'DATA_DIR to a folder that this process may write',
    example: '.data',
  },
  ROLE: {
    group: 'Process',
    about:
      'all: web and worker in one process. web takes webhooks and serves HTTP; worker runs specs. The same as --role.',
    fix: 'ROLE to all, web or worker',
    example: 'all',
  },
  SANDBOX_PROVIDER: {
    group: 'Sandbox',
    about: 'local: namespaces on this machine (Linux).',
    fix: 'SANDBOX_PROVIDER to local',
    example: 'local',
  },
  SANDBOX_UNSAFE: {
    group: 'Sandbox',
    about:
      'process: run agents as ordinary processes WITHOUT isolation, where the kernel forbids namespaces. They can read what this process can read. Only for scripts of your own; it is shown in the log, on the health page and in every status comment.',
    fix: 'SANDBOX_UNSAFE to process, or remove it to keep sandboxes isolated',
    example: 'process',
  },
  AGENT: {
    group: 'Agent',
    about:
      'The agent where no settings name one: claude, codex or command; without it, claude. scripted plays AGENT_SCRIPT whatever settings say, and no model is at work.',
    fix: 'AGENT to claude, codex, command or scripted, or remove it',
    example: 'claude',
  },
  AGENT_SCRIPT: {
    group: 'Agent',
    about: 'The file that the scripted agent plays.',
    fix: 'AGENT_SCRIPT to a script file that this process can read, together with AGENT=scripted',
    example: './script.json',
  },
  AGENT_CLI_DIR: {
    group: 'Agent',
    about:
      'The folder into which the agents\' programs were installed ("npm install --prefix DIR @anthropic-ai/claude-code @openai/codex"). Sandboxes see it read-only. Without it they are looked for in /usr/local/bin and /usr/bin.',
    fix: 'AGENT_CLI_DIR to a folder in which "npm install --prefix DIR …" has installed an agent',
    example: './agents',
  },
  CREDENTIAL_KEYS: {
    group: 'Model credentials',
    about:
      'Keys that seal model credentials in the database: id:base64-of-32-bytes, separated by commas. The first one seals, all of them open; docs/credentials.md says how to replace one. Without it only the variables below give credentials.',
    fix: 'CREDENTIAL_KEYS to an id, a colon and what "openssl rand -base64 32" prints: k1:…',
    example: '',
    secret: true,
  },
  ALLOW_CLAUDE_SUBSCRIPTION: {
    group: 'Model credentials',
    about:
      "yes: people's own Claude subscriptions may pay for the specs that they themselves ask for. Read Anthropic's terms first (https://code.claude.com/docs/en/legal-and-compliance): subscriptions are for a person's own use, and products are asked to use API keys.",
    fix: 'ALLOW_CLAUDE_SUBSCRIPTION to yes or no',
    example: 'no',
  },
  ANTHROPIC_API_KEY: {
    group: 'Model credentials',
    about:
      'A key of Anthropic for everybody, used where neither the person, the installation nor the database has one. It never reaches a sandbox.',
    fix: 'ANTHROPIC_API_KEY to an API key from https://platform.claude.com (it begins with sk-ant-api), or remove it',
    example: '',
    secret: true,
  },
  ANTHROPIC_BASE_URL: {
    group: 'Model credentials',
    about: 'Where ANTHROPIC_API_KEY is used, when not at https://api.anthropic.com.',
    fix: 'ANTHROPIC_BASE_URL to the address of a service that speaks the Messages API, without /v1, or remove it',
    example: 'https://models.example.com',
  },
  OPENAI_API_KEY: {
    group: 'Model credentials',
    about:
      'A key of OpenAI for everybody, used where neither the person, the installation nor the database has one. It never reaches a sandbox.',
    fix: 'OPENAI_API_KEY to an API key from https://platform.openai.com (it begins with sk-), or remove it',
    example: '',
    secret: true,
  },
  OPENAI_BASE_URL: {
    group: 'Model credentials',
    about: 'Where OPENAI_API_KEY is used, when not at https://api.openai.com/v1.',
    fix: 'OPENAI_BASE_URL to the address of a service that speaks the Responses API, or remove it',
    example: 'https://models.example.com/v1',
  },
  EGRESS_TRUSTED_HOSTS: {
    group: 'Sandbox',
    about:
      "Hosts in the operator's own network, such as a private package registry, that sandboxes may reach where a repository's settings allow them. All other private addresses are refused whatever settings say.",
    fix: 'EGRESS_TRUSTED_HOSTS to names of hosts, separated by commas, or remove it',
    example: '',
  },
  SPECS_AT_ONCE: {
    group: 'Agent',
    about:
      'How many specs of one installation are planned and built at once; the others wait in their order.',
    fix: 'SPECS_AT_ONCE to a whole number from 1 to 10000',
    example: '2',
  },
  INSTALLATION_DAY_USD: {
    group: 'Model credentials',
    about:
      'What all specs of an installation may spend in a day (UTC) on calls to models, US dollars. What a spec may spend is a setting of its repository, `budget.specUsd`.',
    fix: 'INSTALLATION_DAY_USD to a whole number of dollars from 0 to 100000',
    example: '50',
  },
  MODEL_PRICES: {
    group: 'Model credentials',
    about:
      'A JSON file with prices of models, {"name": {"input": 3, "output": 15}} in US dollars per million tokens, laid over the list prices. A model without a price counts as the dearest one that has one.',
    fix: 'MODEL_PRICES to the path of a JSON file that can be read, or remove it',
    example: '',
  },
  HEARTBEAT_TIMEOUT_SECONDS: {
    group: 'Times',
    about: 'A sandbox that is silent for so long is replaced.',
    fix: 'HEARTBEAT_TIMEOUT_SECONDS to a number of seconds from 10 to 3600',
    example: '90',
  },
  STATUS_INTERVAL_SECONDS: {
    group: 'Times',
    about: 'The status comment is edited at most once in so long.',
    fix: 'STATUS_INTERVAL_SECONDS to a number of seconds from 1 to 3600',
    example: '10',
  },
  GATHER_TIMEOUT_SECONDS: {
    group: 'Times',
    about: 'How long one question to GitHub about a delivery may take.',
    fix: 'GATHER_TIMEOUT_SECONDS to a number of seconds from 1 to 60',
    example: '5',
  },
  GATHER_WAIT_MINUTES: {
    group: 'Times',
    about: 'How long a delivery waits for a clear answer from GitHub before people are told to try again.',
    fix: 'GATHER_WAIT_MINUTES to a number of minutes from 1 to 1440',
    example: '15',
  },
  PULL_RETRY_MINUTES: {
    group: 'Times',
    about: 'How long a pull request that GitHub refuses is tried again before a person is asked.',
    fix: 'PULL_RETRY_MINUTES to a number of minutes from 1 to 1440',
    example: '60',
  },
  BRANCH_GRACE_DAYS: {
    group: 'Times',
    about: 'How long the branch of a pull request that was closed unmerged is kept.',
    fix: 'BRANCH_GRACE_DAYS to a number of days from 0 to 3650',
    example: '14',
  },
  DELIVERY_SWEEP_MINUTES: {
    group: 'Times',
    about:
      "How often GitHub's list of webhook deliveries is searched for lost ones, which are sent again. 0 turns it off.",
    fix: 'DELIVERY_SWEEP_MINUTES to a number of minutes from 0 to 1440',
    example: '5',
  },
  RECONCILE_MINUTES: {
    group: 'Times',
    about:
      'How often each repository is held against what is known of it, to find what no webhook told; at least every ten minutes where specs are at work. 0 turns it off.',
    fix: 'RECONCILE_MINUTES to a number of minutes from 0 to 1440',
    example: '60',
  },
  DRAIN_SECONDS: {
    group: 'Times',
    about: 'How long a process that was told to stop may finish what it has begun.',
    fix: 'DRAIN_SECONDS to a number of seconds from 1 to 300',
    example: '25',
  },
};

import type { Config } from '../../config.ts';
import { type AppIdentity, readApp } from '../../github/app.ts';
import type { GitHub } from '../../github/client.ts';
import { GitHubError } from '../../github/errors.ts';
import { listInstalled } from '../../github/inventory.ts';
import { type Reach, reachGitHub } from '../../github/reach.ts';
import { missingPermissions, subscriptions } from '../../permissions.ts';
import { attention, type Finding, guarded, listed, ok, unknown, wrong } from './finding.ts';

/** GitHub refuses a JWT from its future; ours are backdated by a minute and end after nine. */
const MOST_SECONDS_FAST = 55;
const MOST_SECONDS_SLOW = 480;
/** Worth saying before it becomes trouble. */
const NOTABLE_SECONDS = 20;

export interface GitHubFindings {
  readonly findings: readonly Finding[];
  /** Null when GitHub did not accept us. */
  readonly app: AppIdentity | null;
}

/** Looks at network, clock, key, permissions and installations, each only if the one before lets it. */
export async function checkGitHub(config: Config, gh: GitHub): Promise<GitHubFindings> {
  const reach = await reachGitHub(config.github.apiUrl);
  const findings = [network(config, reach), clock(reach)];
  if (reach.kind === 'silent') return { findings, app: null };
  const identity = await credentials(config, gh);
  findings.push(identity.finding);
  const { app } = identity;
  if (app)
    findings.push(
      permissions(config, app),
      events(config, app),
      ...(await guarded('Installations', () => installations(config, { gh, app }))),
    );
  return { findings, app };
}

function network({ github }: Config, reach: Reach): Finding {
  if (reach.kind === 'answered') return ok('GitHub', `${github.apiUrl} answers in ${reach.ms} ms.`);
  return wrong(
    'GitHub',
    `${github.apiUrl} does not answer (${reach.code}).`,
    github.host
      ? 'Check GHE_HOST and GHE_PROTOCOL, and that this machine may reach that host.'
      : 'Check that this machine may reach api.github.com over HTTPS (name resolution, firewall, proxy).',
  );
}

function clock(reach: Reach): Finding {
  const ahead = reach.kind === 'answered' ? reach.aheadSeconds : undefined;
  if (ahead === undefined)
    return unknown('Clock', "GitHub's time is not known, so this clock can't be compared.");
  const off = Math.round(Math.abs(ahead));
  const says = `This machine's clock is ${off} s ${ahead < 0 ? 'fast' : 'slow'} against GitHub's.`;
  const fix =
    'Set the clock right, best by a time service (NTP): GitHub refuses keys by the time they carry.';
  if (-ahead > MOST_SECONDS_FAST || ahead > MOST_SECONDS_SLOW) return wrong('Clock', says, fix);
  return off > NOTABLE_SECONDS
    ? attention('Clock', says, fix)
    : ok('Clock', `It agrees with GitHub's within ${off + 1} s.`);
}

async function credentials(
  config: Config,
  gh: GitHub,
): Promise<{ finding: Finding; app: AppIdentity | null }> {
  try {
    const app = await readApp(gh);
    return { finding: ok('Credentials', `GitHub knows the key: it is "${app.name}" (${app.slug}).`), app };
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error;
    return { finding: refused(config, error), app: null };
  }
}

function refused(config: Config, error: GitHubError): Finding {
  const about = 'Credentials';
  if (error.kind === 'unauthorized' || error.kind === 'not_found' || error.kind === 'forbidden')
    return wrong(
      about,
      `GitHub does not accept the key as that of App ${config.appId} (${error.status}).`,
      `Check that APP_ID is the "App ID" of the App whose private key this is, and that the key is still listed at ${config.github.webUrl}/settings/apps; make a new one there if not.`,
    );
  return wrong(
    about,
    `GitHub could not say whose key it is (${error.kind}${error.status ? ` ${error.status}` : ''}).`,
    'Try again in some minutes.',
  );
}

function permissions(config: Config, app: AppIdentity): Finding {
  const missing = missingPermissions(app.permissions).map(({ name, access }) => `${name}: ${access}`);
  if (missing.length === 0) return ok('Permissions', 'The App asks for all that it needs.');
  return wrong(
    'Permissions',
    `The App does not ask for ${listed(missing)}.`,
    `Add them at ${settingsPage(config, app)}/permissions; each installation then has to accept them. docs/permissions.md says what each is for.`,
  );
}

function events(config: Config, app: AppIdentity): Finding {
  const missing = subscriptions
    .filter(({ name, now }) => now && !app.events.includes(name))
    .map(({ name }) => name);
  if (missing.length === 0) return ok('Events', 'The App subscribes to all that it listens to.');
  return wrong(
    'Events',
    `The App does not subscribe to ${listed(missing)}, so it never hears of them.`,
    `Tick them at ${settingsPage(config, app)}/permissions, under "Subscribe to events".`,
  );
}

async function installations(
  config: Config,
  { gh, app }: { gh: GitHub; app: AppIdentity },
): Promise<Finding[]> {
  const { items: found } = await listInstalled(gh);
  const install = `${config.github.webUrl}/${config.github.host ? 'github-apps' : 'apps'}/${app.slug}/installations/new`;
  if (found.length === 0)
    return [attention('Installations', 'The App is installed nowhere.', `Install it at ${install}.`)];
  const troubled = found.flatMap((one) => {
    if (one.suspendedAt !== null)
      return [
        attention(
          `Installation on ${one.account.login}`,
          'It is suspended: nothing is done there.',
          'An owner of the account lifts the suspension in its settings, under "GitHub Apps".',
        ),
      ];
    const missing = missingPermissions(one.permissions).map(({ name, access }) => `${name}: ${access}`);
    if (missing.length === 0) return [];
    const says = `It has not granted ${listed(missing)}: specs there fail with that reason.`;
    return [
      wrong(
        `Installation on ${one.account.login}`,
        says,
        'An owner of the account accepts the new permissions in its settings, under "GitHub Apps".',
      ),
    ];
  });
  const sound = found.length - troubled.length;
  return [ok('Installations', `${sound} of ${found.length} can be worked in.`), ...troubled];
}

function settingsPage({ github }: Config, { slug }: AppIdentity): string {
  return `${github.webUrl}/settings/apps/${slug}`;
}

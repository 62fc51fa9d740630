import { findOrganizationProject, readInstallationRow } from '../../db/accounts.ts';
import type { RepoRef } from '../../github/client.ts';
import { readFile } from '../../github/contents.ts';
import type { Deps } from '../deps.ts';
import { repoOf } from '../effects/target.ts';
import {
  type MergedSettings,
  mergeSettings,
  parseSettings,
  SETTINGS_PATH,
  type SettingsReading,
} from './load.ts';
import { settingsFileSchema } from './schema.ts';

/**
 * The settings that hold for a repository now: its file on the default branch over the organisation's over the
 * installation's. Asks GitHub at most twice. @throws RetryableError when an answer is unclear.
 */
export async function readSettings(deps: Deps, repo: RepoRef): Promise<MergedSettings> {
  const organization = await findOrganizationProject(deps.db, repo.installationId);
  const inherits = organization !== null && organization.repository_id !== repo.repositoryId;
  const [installation, ofOrganization, ofRepository] = await Promise.all([
    readInstallationRow(deps.db, repo.installationId),
    inherits ? readLevel(deps, repoOf(organization)) : null,
    readLevel(deps, repo),
  ]);
  const { preferred } = deps.agents;
  const own = settingsFileSchema.parse(installation?.settings ?? {});
  const defaults = preferred === null ? own : { agent: preferred, ...own };
  return mergeSettings(defaults, ofOrganization, ofRepository);
}

async function readLevel(deps: Deps, repo: RepoRef): Promise<SettingsReading | null> {
  const github = deps.github.within({ timeoutMs: deps.timing.gatherTimeoutMs });
  const file = await readFile(github, repo, { path: SETTINGS_PATH });
  return file.kind === 'found' ? parseSettings(file.text) : null;
}

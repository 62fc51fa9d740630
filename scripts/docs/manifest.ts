import { type Permission, permissions, subscriptions, workflowPermissions } from '../../src/permissions.ts';
import { wrap } from './wrap.ts';

const HEAD = {
  base: `# The GitHub App's manifest, as Probot and GitHub's manifest flow read it.
# It asks for the least that the whole product needs, since every later change of a permission waits for the
# approval of each organisation. docs/permissions.md has the same as tables.`,
  workflows: `# The manifest for organisations that let specs change workflows and start failed jobs again:
# app.yml plus "workflows: write" and "actions: write". Choose one of the two when you create the App.`,
};

/** What the manifest asks for: the base profile, or that with the two extended permissions. */
export type Profile = 'base' | 'workflows';

/** `app.yml` or `app.workflows.yml`, with the reason beside every permission and event. */
export function manifest(profile: Profile): string {
  return `${HEAD[profile]}
# Made by "npm run docs" from src/permissions.ts.

name: specwright
description: Label an issue, get a specified, verified and merged pull request.
# A private App: only the account that creates it can install it. Set it to true to offer it to others.
public: false
# "url" (the homepage), "hook_attributes.url" (PUBLIC_URL/api/github/webhooks) and "setup_url" depend on where the
# App runs, so they are given when it is created: docs/operations.md says how.
setup_on_update: true
# Specwright acts as an installation, never as a person.
request_oauth_on_install: false

default_permissions:
${profilePermissions(profile).map(permissionLine).join('\n')}

# "installation", "installation_repositories" and "installation_target" are sent without being asked for.
default_events:
${subscriptions.map(({ name, usedFor }) => `${wrap(usedFor, '  # ')}\n  - ${name}`).join('\n')}
`;
}

/** The permissions of a profile; the extended ones take the place of base ones with the same name. */
export function profilePermissions(profile: Profile): Permission[] {
  if (profile === 'base') return [...permissions];
  const replaced = new Set(workflowPermissions.map(({ name }) => name));
  return [...permissions.filter(({ name }) => !replaced.has(name)), ...workflowPermissions];
}

function permissionLine({ name, access, reason }: Permission): string {
  return `${wrap(reason, '  # ')}\n  ${name}: ${access}`;
}

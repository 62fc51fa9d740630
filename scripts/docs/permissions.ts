import {
  alwaysSent,
  type Permission,
  permissions,
  type Subscription,
  subscriptions,
  workflowPermissions,
} from '../../src/permissions.ts';

/** `docs/permissions.md`: permission → access → reason, event → use. */
export function permissionsPage(): string {
  return `# Permissions and events

Made by \`npm run docs\` from \`src/permissions.ts\`; \`app.yml\` and \`app.workflows.yml\` come from the same tables.

Everything that the product is planned to need is asked for at once, because GitHub makes every installation approve a
later change. "Now" marks what this version uses. A missing permission of that kind ends a spec before any work, with
one comment that names it; a missing one of the others is not noticed.

## What the App does not ask for

No administration, no secrets or variables, no deployments, no webhooks, no organisation settings, no access on behalf
of a user. It cannot push to a protected branch and does not bypass rules. Sandboxes hold no GitHub credential at all:
the gateway adds a token that is narrowed to one repository, outside.

## Base profile (\`app.yml\`)

${permissionTable(permissions)}

## In addition with \`app.workflows.yml\`

${permissionTable(workflowPermissions)}

## Events

${eventTable(subscriptions)}

Sent to every App without a subscription:

${eventTable(alwaysSent)}
`;
}

function permissionTable(rows: readonly Permission[]): string {
  const lines = rows.map(
    ({ title, name, scope, access, reason, now }) =>
      `| ${title} (\`${name}\`) | ${scope === 'organization' ? 'organisation' : scope} | ${access} | ${reason} | ${now ? 'yes' : 'later'} |`,
  );
  return ['| permission | of | access | reason | now |', '| --- | --- | --- | --- | --- |', ...lines].join(
    '\n',
  );
}

function eventTable(rows: readonly Subscription[]): string {
  const lines = rows.map(
    ({ name, usedFor, now }) => `| \`${name}\` | ${usedFor} | ${now ? 'yes' : 'later'} |`,
  );
  return ['| event | used for | now |', '| --- | --- | --- |', ...lines].join('\n');
}

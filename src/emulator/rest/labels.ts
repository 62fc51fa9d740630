import { addLabel, attachLabels, detachLabel, emitLabel } from '../issue-actions.ts';
import { labelJson } from '../payloads/repository.ts';
import { created, invalid, noContent, notFound, ok, problem, type Reply } from '../reply.ts';
import type { Issue, Json, Label } from '../state.ts';
import { optionalText, optionalTexts, requiredText } from './body.ts';
import { type RepoCall, type Route, repoRoute } from './call.ts';
import { doing, issueOf, replaceLabels } from './issues.ts';
import { paged } from './paging.ts';

const REPO = '/repos/{owner}/{repo}';
const ISSUE = `${REPO}/issues/{issue_number}/labels`;

function labelOf(call: RepoCall): Label {
  const label = call.repo.labels.get((call.params.name ?? '').toLowerCase());
  if (!label) throw notFound();
  return label;
}

function shown(call: RepoCall, issue: Issue): Json[] {
  return issue.labels.map((label) => labelJson(call.world, call.repo, label));
}

/** The body is `{"labels": [...]}`, whose entries are names or objects with a name. */
function namesIn(body: Json): string[] {
  const list: unknown = body.labels;
  if (!Array.isArray(list)) throw problem(422, 'Invalid request.\n\n"labels" wasn\'t supplied.');
  const names = list.map((one: unknown) =>
    typeof one === 'object' && one !== null && 'name' in one ? one.name : one,
  );
  return optionalTexts({ labels: names }, 'labels') ?? [];
}

async function create(call: RepoCall): Promise<Reply> {
  const name = requiredText(call.body, 'name');
  if (call.repo.labels.has(name.toLowerCase()))
    throw invalid({ resource: 'Label', code: 'already_exists', field: 'name' });
  const color = colorIn(call.body) ?? 'ededed';
  const description = optionalText(call.body, 'description') ?? null;
  return created(labelJson(call.world, call.repo, await addLabel(doing(call), { name, color, description })));
}

function colorIn(body: Json): string | undefined {
  const color = optionalText(body, 'color') ?? undefined;
  if (color !== undefined && !/^[0-9a-f]{6}$/i.test(color))
    throw invalid({ resource: 'Label', code: 'invalid', field: 'color' });
  return color;
}

async function update(call: RepoCall): Promise<Reply> {
  const label = labelOf(call);
  const before = { name: label.name, color: label.color, description: label.description };
  const name = optionalText(call.body, 'new_name') ?? label.name;
  const taken = call.repo.labels.get(name.toLowerCase());
  if (taken && taken !== label) throw invalid({ resource: 'Label', code: 'already_exists', field: 'name' });
  call.repo.labels.delete(label.name.toLowerCase());
  label.name = name;
  label.color = colorIn(call.body) ?? label.color;
  label.description = optionalText(call.body, 'description') ?? label.description;
  call.repo.labels.set(name.toLowerCase(), label);
  const changed = (['name', 'color', 'description'] as const).filter(
    (field) => before[field] !== label[field],
  );
  const changes = Object.fromEntries(changed.map((field) => [field, { from: before[field] }]));
  await emitLabel(doing(call), label, { action: 'edited', fields: { changes } });
  return ok(labelJson(call.world, call.repo, label));
}

async function remove(call: RepoCall): Promise<Reply> {
  const label = labelOf(call);
  for (const issue of call.repo.issues.values()) await detachLabel(doing(call), issue, label.name);
  call.repo.labels.delete(label.name.toLowerCase());
  await emitLabel(doing(call), label, { action: 'deleted' });
  return noContent();
}

/** Labels of a repository, and labels on issues and pull requests. */
export const labelRoutes: readonly Route[] = [
  repoRoute(`GET ${REPO}/labels`, 'issue:read', (call) => {
    const path = `/repos/${call.params.owner}/${call.params.repo}/labels`;
    return paged(call, [...call.repo.labels.values()], {
      path,
      show: (one) => labelJson(call.world, call.repo, one),
    });
  }),
  repoRoute(`POST ${REPO}/labels`, 'issues:write', create),
  repoRoute(`GET ${REPO}/labels/{name}`, 'issue:read', (call) =>
    ok(labelJson(call.world, call.repo, labelOf(call))),
  ),
  repoRoute(`PATCH ${REPO}/labels/{name}`, 'issues:write', update),
  repoRoute(`DELETE ${REPO}/labels/{name}`, 'issues:write', remove),
  repoRoute(`GET ${ISSUE}`, 'issue:read', (call) => ok(shown(call, issueOf(call)))),
  repoRoute(`POST ${ISSUE}`, 'issue:write@triage', async (call) => {
    const issue = issueOf(call);
    await attachLabels(doing(call), issue, namesIn(call.body));
    return ok(shown(call, issue));
  }),
  repoRoute(`PUT ${ISSUE}`, 'issue:write@triage', async (call) => {
    const issue = issueOf(call);
    await replaceLabels(call, issue, namesIn(call.body));
    return ok(shown(call, issue));
  }),
  repoRoute(`DELETE ${ISSUE}/{name}`, 'issue:write@triage', async (call) => {
    const issue = issueOf(call);
    if (!(await detachLabel(doing(call), issue, call.params.name ?? '')))
      throw problem(404, 'Label does not exist');
    return ok(shown(call, issue));
  }),
  repoRoute(`DELETE ${ISSUE}`, 'issue:write@triage', async (call) => {
    await replaceLabels(call, issueOf(call), []);
    return noContent();
  }),
];

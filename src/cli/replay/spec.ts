import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readProject } from '../../db/accounts.ts';
import { listArtifacts } from '../../db/artifacts.ts';
import { findNewestSpec, type SpecRow } from '../../db/specs.ts';
import { listTasks } from '../../db/tasks.ts';
import type { Db } from '../../db/types.ts';
import { UserError } from '../../errors.ts';
import { isLive, type Status } from '../../services/spec/states.ts';
import { settingsOf } from '../../services/spec/work.ts';
import { asMaintainer } from '../demo/people.ts';
import { openStage, type Stage } from '../demo/world.ts';
import { scriptOf } from './script.ts';
import { showWrites } from './writes.ts';

const PATIENCE_MS = 120_000;
/** Branch, refs and the last status follow an end within a second or two. */
const TIDY_MS = 3000;
const LOOK_MS = 100;

/**
 * Runs a recorded spec again on an emulated GitHub, with a database and a sandbox of its own, and prints each write as
 * it happens. Exit code 0 when it came to the status that it has in the record.
 */
export async function replaySpec(db: Db, spec: SpecRow): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'specwright-replay-'));
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const project = await readProject(db, spec.repository_id);
  const names = {
    owner: project?.owner ?? 'owner',
    repo: project?.name ?? 'repository',
    maintainer: spec.requester_login,
  };
  const [artifacts, tasks] = await Promise.all([listArtifacts(db, spec.id), listTasks(db, spec.id)]);
  const script = join(folder, 'script.json');
  await writeFile(script, JSON.stringify(scriptOf(artifacts, tasks)));
  const stage = await openStage({ script, names, files: filesFor(spec) });
  try {
    say(
      `Spec ${spec.id} of ${names.owner}/${names.repo}#${spec.issue_number}: "${spec.title}" (${spec.status}).`,
    );
    say(
      'Its recorded outputs are played on an emulated GitHub; tasks write a line into the files of their plan.',
    );
    say(
      'Neither its repository nor its checks are here: "verify" and "base" of its settings are left out.\n',
    );
    showWrites(stage, say);
    const end = await play(stage, spec);
    say(
      `\nIt ended as ${end.status}${end.cause ? `: ${end.cause}` : ''}; in the record it is ${spec.status}.`,
    );
    return end.status === spec.status ? 0 : 1;
  } finally {
    await stage.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A small project with the spec's own settings, as far as they make sense without the real repository. */
function filesFor(spec: SpecRow): Record<string, string> {
  const { verify: _verify, base: _base, ...settings } = settingsOf(spec);
  return {
    'README.md': '# Stands in for the real repository\n',
    '.github/specwright.yml': stringify(settings),
  };
}

/** People do what they did: label, and in the end merge or close. */
async function play(stage: Stage, spec: SpecRow): Promise<SpecRow> {
  const issue = (await asMaintainer(stage, {
    method: 'POST',
    path: '/issues',
    body: { title: spec.title, body: spec.body },
  })) as {
    number: number;
  };
  await asMaintainer(stage, {
    method: 'POST',
    path: `/issues/${issue.number}/labels`,
    body: { labels: [settingsOf(spec).label] },
  });
  const reviewed = await reach(
    stage,
    issue.number,
    ({ status }) => status === 'in_review' || !isLive(status as Status),
  );
  if (reviewed.status !== 'in_review') return settled(stage, issue.number);
  const pull = `/pulls/${reviewed.pull_request_number}`;
  if (spec.status === 'merged') await asMaintainer(stage, { method: 'PUT', path: `${pull}/merge`, body: {} });
  else if (spec.status === 'closed')
    await asMaintainer(stage, { method: 'PATCH', path: pull, body: { state: 'closed' } });
  else if (spec.status === 'cancelled')
    await asMaintainer(stage, {
      method: 'PATCH',
      path: `/issues/${issue.number}`,
      body: { state: 'closed' },
    });
  else return settled(stage, issue.number);
  await reach(stage, issue.number, ({ status }) => !isLive(status as Status));
  return settled(stage, issue.number);
}

async function reach(stage: Stage, issue: number, until: (spec: SpecRow) => boolean): Promise<SpecRow> {
  const { clock, db } = stage.app.opened.deps;
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    const spec = await findNewestSpec(db, stage.world.repo.id, issue);
    if (spec && until(spec)) return spec;
    await clock.sleep(LOOK_MS);
  }
  await stage.keepLog();
  throw new UserError(`It did not get further within ${PATIENCE_MS / 1000} s. Log: ${stage.logFile}`);
}

/** Waits until what follows the end is written too. */
async function settled(stage: Stage, issue: number): Promise<SpecRow> {
  const { clock, db } = stage.app.opened.deps;
  for (let waitedMs = 0; waitedMs < TIDY_MS; waitedMs += LOOK_MS) {
    const open = (await db('effects').where({ state: 'pending' }).limit(1)).length > 0;
    const spec = await findNewestSpec(db, stage.world.repo.id, issue);
    if (!open && spec && spec.status_published_version >= spec.version) return spec;
    await clock.sleep(LOOK_MS);
  }
  return (await findNewestSpec(db, stage.world.repo.id, issue))!;
}

import { randomUUID } from 'node:crypto';
import type { Db } from '../../src/db/types.ts';

/** A project with one spec, and a running sandbox of that spec. */
export async function insertSandboxRows(
  db: Db,
  ids: { sandboxId: string; specId: string } = { sandboxId: randomUUID(), specId: randomUUID() },
): Promise<{ sandboxId: string; specId: string }> {
  const repositoryId = Math.floor(Math.random() * 1e9);
  await db('projects').insert({
    repository_id: repositoryId,
    installation_id: 1,
    owner: 'acme',
    name: 'shop',
  });
  await db('specs').insert({
    id: ids.specId,
    repository_id: repositoryId,
    installation_id: 1,
    issue_number: 7,
    title: 'Add a greeting',
    body: '',
    frozen_hash: 'hash',
    requester_id: 7,
    requester_login: 'ann',
    settings: '{}',
  });
  await db('sandboxes').insert({
    id: ids.sandboxId,
    spec_id: ids.specId,
    provider: 'local',
    repository: 'acme/shop',
    generation: 1,
    state: 'running',
  });
  return ids;
}

import type { Db } from './types.ts';

/**
 * The name of this database. It is a label of every instance at a provider: two deployments may share a provider's
 * account, and what the other one's rows stand for is not ours to reap.
 */
export async function readDeploymentId(db: Db): Promise<string> {
  const row = await db('deployment').first('id');
  if (!row) throw new Error('the table "deployment" has no row');
  return row.id;
}

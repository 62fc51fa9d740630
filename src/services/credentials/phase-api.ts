import type { ModelApi } from '../../agent/driver.ts';
import type { SpecRow } from '../../db/specs.ts';
import type { Trx } from '../../db/types.ts';
import { type Agents, agentFor } from '../agents/choose.ts';
import type { AgentName, AgentPhase } from '../settings/schema.ts';
import { settingsOf } from '../spec/work.ts';
import type { Credentials } from './resolve.ts';

/**
 * In which API the agent of a spec's phase works: that of the credential that pays for it. Null leaves it the agent's
 * own: where no model is at work, and where nobody pays, which the model gateway then says.
 */
export async function apiInPhase(
  { agents, credentials }: { agents: Agents; credentials: Credentials },
  trx: Trx,
  spec: SpecRow,
): Promise<ModelApi | null> {
  const { driver, model } = agentFor(agents, settingsOf(spec), spec.phase as AgentPhase);
  if (model === null) return null;
  const payer = { requesterId: spec.requester_id, installationId: spec.installation_id };
  const answer = await credentials.forAgent({ ...payer, agent: driver as AgentName }, trx);
  return answer.kind === 'found' ? answer.credential.api : null;
}

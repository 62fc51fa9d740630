import type { SpecRow } from '../../db/specs.ts';
import { type Agents, agentFor } from '../agents/choose.ts';
import { type AgentName, agentPhases, type Settings } from '../settings/schema.ts';
import type { Credentials } from './resolve.ts';

/** Agents that a spec needs and nobody pays for; a text each for the person who asked. A script needs no model. */
export async function credentialProblems(
  { agents, credentials }: { agents: Agents; credentials: Credentials },
  { spec, settings }: { spec: SpecRow; settings: Settings },
): Promise<string[]> {
  if (agents.override !== null) return [];
  const chosen = agentPhases.map((phase) => agentFor(agents, settings, phase).driver as AgentName);
  const payer = { requesterId: spec.requester_id, installationId: spec.installation_id };
  const problems = new Set<string>();
  for (const agent of new Set(chosen)) {
    const answer = await credentials.forAgent({ ...payer, agent });
    if (answer.kind === 'missing') problems.add(answer.text);
  }
  return [...problems];
}

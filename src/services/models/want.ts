import { type LastCallRow, readLastCall } from '../../db/model-calls.ts';
import type { RunRow } from '../../db/runs.ts';
import type { StepResult } from '../../runner/protocol.ts';
import type { Unit } from '../deps.ts';
import type { SpecInput } from '../spec/inputs.ts';

const MINUTE_MS = 60_000;
/** A provider that says nothing of when is asked again after this, then after twice as long, up to an hour. */
const FIRST_WAIT_MINUTES = 5;
const LONGEST_WAIT_MINUTES = 60;

/**
 * What it means for a spec that an agent failed because it got no model: the attempt counts for nothing, and the spec
 * waits or, where waiting can't help, ends. Null where the failure is the work's own.
 */
export async function wantOfModel(unit: Unit, run: RunRow, result: StepResult): Promise<SpecInput | null> {
  if (result.kind !== 'agent' || result.outcome !== 'failed') return null;
  const last = await readLastCall(unit.trx, run.id);
  return last?.refusal ? inputOf(last, last.refusal) : null;
}

function inputOf(last: LastCallRow, refusal: NonNullable<LastCallRow['refusal']>): SpecInput {
  const nth = last.holds + 1;
  switch (refusal.why) {
    case 'credential':
      return { type: 'sandbox_refused', cause: credentialCause(refusal.by, last.told) };
    case 'budget': {
      const daily = refusal.scope === 'installation' || refusal.scope === 'repository';
      const until = daily ? last.tomorrow.toISOString() : null;
      return {
        type: 'held',
        reason: 'budget',
        until,
        cause: sentence(last.told ?? 'a budget is used up'),
        nth,
      };
    }
    case 'quota':
    case 'overload': {
      const until = whenAgain(last, nth).toISOString();
      return { type: 'held', reason: 'quota', until, cause: providerCause(refusal.why), nth };
    }
  }
}

function whenAgain({ now, retry_at }: LastCallRow, nth: number): Date {
  const minutes = Math.min(LONGEST_WAIT_MINUTES, FIRST_WAIT_MINUTES * 2 ** (nth - 1));
  const soonest = new Date(now.getTime() + minutes * MINUTE_MS);
  return retry_at && retry_at > soonest ? retry_at : soonest;
}

function credentialCause(by: 'us' | 'provider', told: string | null): string {
  return by === 'us' && told !== null
    ? sentence(told)
    : 'The model provider refused the credential. The operator sets another one: `specwright credentials set`.';
}

function providerCause(why: 'quota' | 'overload'): string {
  return why === 'quota'
    ? 'The model provider takes no more calls for now: a limit of the account is reached.'
    : 'The model provider cannot answer right now.';
}

/** A sentence of what the agent was told: it begins in the middle of one. */
function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?`)]$/.test(capital) ? capital : `${capital}.`;
}

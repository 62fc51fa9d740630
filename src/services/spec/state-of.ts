import type { SpecRow } from '../../db/specs.ts';
import type { Hold, Phase, SpecState, Status } from './states.ts';

/** The machine's view of a row. The columns' check constraints keep the words right. */
export function stateOf(row: SpecRow): SpecState {
  return {
    status: row.status as Status,
    phase: row.phase as Phase | null,
    attempt: row.attempt,
    round: row.round,
    hold: row.hold as Hold | null,
  };
}

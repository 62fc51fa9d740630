import type { RefusedHost } from '../egress/words.ts';
import type { Hold, Phase, Status } from '../spec/states.ts';

/** Everything that the status comment shows, as plain data read from the database in one go. */
export interface StatusView {
  readonly specId: string;
  readonly issueNumber: number;
  readonly status: Status;
  readonly phase: Phase | null;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly hold: Pick<Hold, 'reason' | 'until'> | null;
  /** Its place among those that wait until their installation may have another one at work; null where it need not. */
  readonly waiting: { readonly place: number; readonly atWork: number } | null;
  readonly phases: readonly PhaseView[];
  readonly tasks: readonly TaskView[];
  readonly branch: BranchView | null;
  readonly compareUrl: string | null;
  readonly pull: { readonly number: number; readonly url: string } | null;
  readonly mergeSha: string | null;
  /** Why it failed or waits, in the words of what went wrong. */
  readonly cause: string | null;
  readonly sandbox: { readonly provider: string; readonly isolated: boolean } | null;
  readonly agent: { readonly name: string; readonly scripted: boolean };
  /** What calls to models have cost, in millionths of a dollar; null where none was made. */
  readonly models: {
    readonly spent: number;
    readonly limit: number;
    /** True where some part is no exact figure: a price that is not known, a reply that broke off. */
    readonly about: boolean;
  } | null;
  /** Hosts that its sandboxes asked for and did not get, most often asked first. */
  readonly refusedHosts: readonly RefusedHost[];
  /** Login, without @. */
  readonly requester: string;
  /** The label that starts a spec. */
  readonly label: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When the last status was reached, or null while the spec lives. */
  readonly endedAt: Date | null;
  /** Said instead of the sentence that belongs to the status. */
  readonly nextStep?: string | null;
}

export interface BranchView {
  readonly name: string;
  readonly url: string | null;
  readonly deleted?: boolean;
  /** Why it was not deleted at the end; unset while that is open. */
  readonly kept?: string | null;
}

export interface PhaseView {
  readonly name: Phase;
  readonly state: 'pending' | 'running' | 'done' | 'failed';
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly attempt: number;
  /** Why its last attempt was not accepted. */
  readonly failures?: readonly string[];
  /** What a reader would otherwise take the mark for. */
  readonly note?: string | null;
}

export interface TaskView {
  readonly id: string;
  readonly title: string;
  readonly state: 'pending' | 'running' | 'done' | 'closed' | 'failed';
  readonly sha: string | null;
}

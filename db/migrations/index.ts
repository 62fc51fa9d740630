import type { Knex } from 'knex';
import * as clock from './0001_clock.ts';
import * as deliveries from './0002_deliveries.ts';
import * as accounts from './0003_accounts.ts';
import * as specs from './0004_specs.ts';
import * as plan from './0005_plan.ts';
import * as sandboxes from './0006_sandboxes.ts';
import * as effects from './0007_effects.ts';
import * as leaseOwners from './0008_lease_owners.ts';
import * as reconcile from './0009_reconcile.ts';
import * as lostSandboxes from './0010_lost_sandboxes.ts';
import * as deliveryIndexes from './0011_delivery_indexes.ts';
import * as githubLimits from './0012_github_limits.ts';
import * as described from './0013_described.ts';
import * as gitTokens from './0014_git_tokens.ts';
import * as modelCalls from './0015_model_calls.ts';
import * as modelCredentials from './0016_model_credentials.ts';
import * as gate from './0017_gate.ts';
import * as egress from './0018_egress.ts';

interface Step {
  up(knex: Knex): Promise<void>;
}

/** Forward only. Names carry no extension, so that sources and built files are the same migrations. */
export const migrations: Readonly<Record<string, Step>> = {
  '0001_clock': clock,
  '0002_deliveries': deliveries,
  '0003_accounts': accounts,
  '0004_specs': specs,
  '0005_plan': plan,
  '0006_sandboxes': sandboxes,
  '0007_effects': effects,
  '0008_lease_owners': leaseOwners,
  '0009_reconcile': reconcile,
  '0010_lost_sandboxes': lostSandboxes,
  '0011_delivery_indexes': deliveryIndexes,
  '0012_github_limits': githubLimits,
  '0013_described': described,
  '0014_git_tokens': gitTokens,
  '0015_model_calls': modelCalls,
  '0016_model_credentials': modelCredentials,
  '0017_gate': gate,
  '0018_egress': egress,
};

/** The same as a source for knex; `names` limits it to some of them (tests apply them one by one). */
export function migrationSource(
  names: readonly string[] = Object.keys(migrations),
): Knex.MigrationSource<string> {
  return {
    getMigrations: async () => [...names],
    getMigrationName: (name) => name,
    async getMigration(name) {
      const step = migrations[name];
      if (!step) throw new Error(`there is no migration ${name}`);
      return { up: step.up, down: forwardOnly };
    },
  };
}

async function forwardOnly(): Promise<void> {
  throw new Error('migrations go forward only');
}

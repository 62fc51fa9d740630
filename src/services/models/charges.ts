import type { PayerRow } from '../../db/gateway-store.ts';
import type { Charge } from '../../db/model-calls.ts';
import type { Budget } from '../settings/schema.ts';

const MICROS = 1_000_000;

/** A spec's budgets as a call is charged to them; amounts in millionths of a dollar. */
export function chargesOf(payer: PayerRow, budget: Budget, installationDayUsd: number): Charge[] {
  const { run_id: run, installation_id, repository_id, day } = payer;
  const spec = { scope: 'spec', period: 'all', limit: micros(budget.specUsd) } as const;
  return [
    { scope: 'installation', owner: String(installation_id), period: day, limit: micros(installationDayUsd) },
    ...(budget.repositoryDayUsd === null
      ? []
      : [daily('repository', String(repository_id), { day, usd: budget.repositoryDayUsd })]),
    ...(budget.runUsd === null || run === null
      ? []
      : [{ scope: 'run', owner: run, period: 'all', limit: micros(budget.runUsd) } as const]),
    { ...spec, owner: payer.spec_id },
  ];
}

function daily(scope: 'repository', owner: string, { day, usd }: { day: string; usd: number }): Charge {
  return { scope, owner, period: day, limit: micros(usd) };
}

function micros(usd: number): number {
  return Math.round(usd * MICROS);
}

/** What a budget that is used up means, and what to do. */
export function usedUp({ scope, limit }: Charge, spent: number): string {
  const amount = `${dollars(spent)} of ${dollars(limit)} are spent`;
  switch (scope) {
    case 'run':
      return `the budget of this step is used up: ${amount}. Raise \`budget.runUsd\` in .github/specwright.yml`;
    case 'spec':
      return `the budget of this spec is used up: ${amount}. Raise \`budget.specUsd\` in .github/specwright.yml`;
    case 'repository':
      return `this repository's budget of today is used up: ${amount}. It is renewed at 00:00 UTC, or raise \`budget.repositoryDayUsd\` in .github/specwright.yml`;
    case 'installation':
      return `this installation's budget of today is used up: ${amount}. It is renewed at 00:00 UTC, or the operator raises INSTALLATION_DAY_USD`;
  }
}

/** "$1.25" of millionths of a dollar. */
export function dollars(amount: number): string {
  return `$${(amount / MICROS).toFixed(2)}`;
}

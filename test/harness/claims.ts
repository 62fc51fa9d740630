import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { expect } from '@jest/globals';

/** One row of the table that `npm run verify` prints: what was held, and the figure that was measured for it. */
export interface Claim {
  /** A sentence: "each delivery is stored and handled once". */
  readonly claim: string;
  /** What was measured, with its unit: "10000 sent, 5000 stored, 0 handled twice". */
  readonly figure: string;
  readonly seed?: number;
}

/** The size of a test: small in the ordinary suite, whole in `npm run verify` (which sets VERIFY=1). */
export function sized<T>(quick: T, whole: T): T {
  return process.env.VERIFY === '1' ? whole : quick;
}

/** Notes a measured claim for the table of `npm run verify`; elsewhere it goes nowhere. Call it after the expectations. */
export function recordClaim(claim: Claim): void {
  const file = process.env.CLAIMS_FILE;
  if (!file) return;
  const test = relative(process.cwd(), expect.getState().testPath ?? '');
  appendFileSync(file, `${JSON.stringify({ ...claim, test })}\n`);
}

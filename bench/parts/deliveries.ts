/** The webhooks of the measurements: an example of GitHub, as long as real ones are. */
import { exampleDeliveries } from '../../test/harness/webhook-examples.ts';

const BODY_BYTES = 12_000;

/**
 * Bodies of about 12 KB, `issues.{action}` for `count` issues. The issues are closed and known to nobody, so that the
 * real handlers decide without asking GitHub anything.
 */
export function issueBodies(action: 'labeled' | 'edited', count: number): Buffer[] {
  const example = exampleDeliveries().find(
    ({ name, payload }) => name === 'issues' && payload.action === 'labeled',
  )!.payload as { issue: Record<string, unknown> };
  const text = (body: string, number: number) =>
    JSON.stringify({ ...example, action, issue: { ...example.issue, state: 'closed', number, body } });
  const filler = 'The greeting depends on the time of day, and on who asks for it. '.repeat(200);
  const missing = BODY_BYTES - Buffer.byteLength(text('', 1));
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(text(filler.slice(0, Math.max(0, missing)), i + 1)),
  );
}

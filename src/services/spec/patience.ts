import { secondsSinceSpecMoved } from '../../db/specs.ts';
import { messageOf } from '../../errors.ts';
import { explain } from '../../github/explain.ts';
import type { Deps } from '../deps.ts';
import { advanceAlone } from './advance.ts';
import type { SpecInput } from './inputs.ts';

interface Question {
  readonly specId: string;
  /** So long a spec waits for GitHub's answers before somebody is told. */
  readonly minutes: number;
  ask(): Promise<SpecInput>;
  /** What follows when there is no answer in time; `cause` is a sentence for people. */
  unanswered(cause: string): SpecInput;
}

/**
 * Asks GitHub what decides how a spec goes on. What fails is thrown, and asked again by the job's next attempt, until
 * patience ends: then the spec is told, since a question that nobody answers would hold it up for ever.
 */
export async function decidePatiently(deps: Deps, question: Question): Promise<void> {
  const { specId, minutes } = question;
  let input: SpecInput;
  try {
    input = await question.ask();
  } catch (error) {
    if ((await secondsSinceSpecMoved(deps.db, specId)) < minutes * 60) throw error;
    deps.log.error({ spec: specId, error: messageOf(error) }, 'no answer in time');
    input = question.unanswered(`For ${minutes} minutes there was no clear answer: ${explain(error)}.`);
  }
  await advanceAlone(deps, { specId, input });
}

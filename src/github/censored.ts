import type { GitHub } from './client.ts';

/** What people read. Files and commits are no words: the diff gate looks for secrets in them. */
const WORDS = ['body', 'title'];

/**
 * The same door, behind which no comment, issue or pull request ever shows a secret: whatever an agent, a repository or
 * an error has put into a text, `censor` sees it last.
 */
export function censoredGitHub(github: GitHub, censor: (text: string) => string): GitHub {
  return {
    ...github,
    call: (target, route, parameters) => github.call(target, route, censoredWords(parameters, censor)),
    within: (limits) => censoredGitHub(github.within(limits), censor),
  };
}

function censoredWords<T extends object>(parameters: T, censor: (text: string) => string): T {
  const words: [string, string][] = [];
  for (const [name, text] of Object.entries(parameters)) {
    if (WORDS.includes(name) && typeof text === 'string') words.push([name, censor(text)]);
  }
  return Object.assign({}, parameters, Object.fromEntries(words));
}

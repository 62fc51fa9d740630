import { UserError } from '../../errors.ts';
import type { Stage } from './world.ts';

/** What the emulated maintainer asks for; the scripted agent's plan fits it. */
const ISSUE = {
  title: 'Greet people by time of day',
  body: 'Say "Good morning", "Good afternoon" or "Good evening" instead of always "Hello". Callers that pass no time keep what they have.',
};

/** One REST call as the maintainer. @throws UserError when the emulated GitHub refuses it */
export async function asMaintainer(
  stage: Stage,
  call: { method: string; path: string; body?: object },
): Promise<unknown> {
  const { github, world } = stage;
  const response = await fetch(`${github.apiUrl}/repos/${world.repo.fullName}${call.path}`, {
    method: call.method,
    headers: { authorization: `Bearer ${world.people.maintainer.token}`, 'content-type': 'application/json' },
    ...(call.body ? { body: JSON.stringify(call.body) } : {}),
  });
  if (!response.ok)
    throw new UserError(`The emulated GitHub answered ${response.status} to ${call.method} ${call.path}.`);
  return response.json();
}

/** The repository's own check, which has to pass before a pull request is opened. */
export const VERIFY = 'node --test';

/** Writes the settings file on the default branch. */
export async function writeSettings(stage: Stage): Promise<void> {
  await asMaintainer(stage, {
    method: 'PUT',
    path: '/contents/.github/specwright.yml',
    body: {
      message: 'chore: have Specwright run the tests',
      content: Buffer.from(`verify: ${VERIFY}\n`).toString('base64'),
    },
  });
}

/** Opens the issue. Answers its number and address. */
export async function openIssue(stage: Stage): Promise<{ number: number; url: string }> {
  const issue = (await asMaintainer(stage, { method: 'POST', path: '/issues', body: ISSUE })) as {
    number: number;
    html_url: string;
  };
  return { number: issue.number, url: issue.html_url };
}

export async function labelIssue(stage: Stage, issue: number): Promise<void> {
  await asMaintainer(stage, { method: 'POST', path: `/issues/${issue}/labels`, body: { labels: ['spec'] } });
}

export async function mergePull(stage: Stage, pull: number): Promise<void> {
  await asMaintainer(stage, { method: 'PUT', path: `/pulls/${pull}/merge`, body: {} });
}

/** The commits of a pull request as GitHub lists them. */
export async function listCommits(stage: Stage, pull: number): Promise<{ sha: string; subject: string }[]> {
  const commits = (await asMaintainer(stage, { method: 'GET', path: `/pulls/${pull}/commits` })) as {
    sha: string;
    commit: { message: string };
  }[];
  return commits.map(({ sha, commit }) => ({ sha, subject: commit.message.split('\n')[0] ?? '' }));
}

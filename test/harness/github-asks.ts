import type { GitHub } from '../../src/github/client.ts';
import { REPO } from './github-stage.ts';

/** Where the two calls go. */
export const TRUNK = '/repos/acme/shop/git/ref/heads%2Ftrunk';
export const COMMENTS = '/repos/acme/shop/issues/5/comments';

/** A question, with the token of readers. */
export const readTrunk = (gh: GitHub) =>
  gh.call({ repo: REPO, profile: 'reader' }, 'GET /repos/{owner}/{repo}/git/ref/{ref}', {
    ref: 'heads/trunk',
  });

/** A write that people see. */
export const comment = (gh: GitHub) =>
  gh.call({ repo: REPO, profile: 'control' }, 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    issue_number: 5,
    body: 'hello',
  });

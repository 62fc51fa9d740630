import { appRoutes } from './app.ts';
import type { Route } from './call.ts';
import { checkRoutes } from './checks.ts';
import { commentRoutes } from './comments.ts';
import { commitRoutes } from './commits.ts';
import { contentRoutes } from './contents.ts';
import { gitDataRoutes } from './git-data.ts';
import { hookRoutes } from './hook.ts';
import { issueEventRoutes } from './issue-events.ts';
import { issueRoutes } from './issues.ts';
import { labelRoutes } from './labels.ts';
import { pullRoutes } from './pulls.ts';
import { reactionRoutes } from './reactions.ts';
import { refRoutes } from './refs.ts';
import { repositoryRoutes } from './repositories.ts';
import { reviewCommentRoutes } from './review-comments.ts';
import { reviewRoutes } from './reviews.ts';
import { statusRoutes } from './statuses.ts';
import { userRoutes } from './users.ts';

/** All REST routes; earlier ones win, so `/issues/comments` stands before `/issues/{issue_number}` and `/pulls/comments` before `/pulls/{pull_number}`. */
export const ROUTES: readonly Route[] = [
  ...appRoutes,
  ...hookRoutes,
  ...userRoutes,
  ...repositoryRoutes,
  ...commentRoutes,
  ...issueEventRoutes,
  ...issueRoutes,
  ...labelRoutes,
  ...reactionRoutes,
  ...refRoutes,
  ...gitDataRoutes,
  ...checkRoutes,
  ...statusRoutes,
  ...commitRoutes,
  ...contentRoutes,
  ...reviewCommentRoutes,
  ...reviewRoutes,
  ...pullRoutes,
];

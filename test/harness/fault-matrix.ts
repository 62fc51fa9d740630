import type { Plan } from './fault-houses.ts';
import { recoveryRoutes } from './fault-recovery.ts';
import { fault, faults, type NamedFault } from './faults.ts';

/** One route that the App calls, and what has to be so that a spec's life comes by it. */
export interface Site {
  readonly route: string;
  /** What goes wrong before, so that the route is called at all. */
  readonly after?: Plan['faults'];
  /** The installation's permissions were not recorded, so that GitHub is asked for them. */
  readonly forgotten?: true;
}

const repo = (method: string, rest = '') => `${method} /repos/{owner}/{repo}${rest}`;
const comments = '/issues/{issue_number}/comments';

/** A list that does not show yet what was made a moment ago. */
export const lagging: NamedFault = { name: 'lagging list', of: () => ({ status: 200, body: [] }) };

const lost = { route: repo('POST', comments), fault: fault('reset after commit'), times: 1 };
const lag = { route: repo('GET', comments), fault: lagging, times: 4 };

/** The calls of a spec's life, from the label to the deleted branch. */
export const sites: readonly Site[] = [
  { route: 'POST /app/installations/{installation_id}/access_tokens' },
  { route: 'GET /app/installations/{installation_id}', forgotten: true },
  { route: repo('GET', '/contents/{path}') },
  { route: repo('GET', '/collaborators/{username}/permission') },
  { route: repo('GET', '/issues/{issue_number}') },
  { route: repo('GET') },
  { route: repo('GET', '/rules/branches/{branch}') },
  { route: repo('GET', '/git/ref/{ref}') },
  { route: repo('POST', '/issues/{issue_number}/reactions') },
  { route: repo('POST', comments) },
  { route: repo('GET', comments), after: [lost] },
  { route: repo('DELETE', '/issues/comments/{comment_id}'), after: [lost, lag] },
  { route: repo('POST', '/git/refs') },
  { route: repo('PATCH', '/issues/comments/{comment_id}') },
  { route: repo('GET', '/compare/{basehead}') },
  { route: repo('GET', '/git/trees/{tree_sha}') },
  { route: repo('GET', '/git/blobs/{file_sha}') },
  { route: repo('POST', '/git/commits') },
  { route: repo('PATCH', '/git/refs/{ref}') },
  { route: repo('POST', '/pulls') },
  { route: repo('POST', '/issues/{issue_number}/labels') },
  { route: repo('GET', '/pulls/{pull_number}') },
  { route: repo('DELETE', '/issues/{issue_number}/labels/{name}') },
  { route: repo('GET', '/branches/{branch}') },
  { route: repo('GET', '/pulls') },
  { route: repo('DELETE', '/git/refs/{ref}') },
];

/** Calls outside of a spec's life that the matrix makes itself. */
export const directSites: readonly Site[] = [{ route: 'DELETE /installation/token' }];

/**
 * Held by the cells of fault-recovery and nowhere here: questions of sweeps and of `specwright doctor`, where a
 * repository is, and the answer to a comment without words.
 */
export const elsewhere: readonly string[] = recoveryRoutes.filter(
  (route) => ![...sites, ...directSites].some((site) => site.route === route),
);

const without = (...routes: string[]) => sites.filter(({ route }) => !routes.includes(route));
const lookUps = [repo('GET', comments), repo('DELETE', '/issues/comments/{comment_id}')];

/** Which fault strikes a call how often: a question is asked once more at once, so once would not be felt. */
function struckBy(route: string, one: NamedFault): Plan['faults'][number] {
  const passing = /^(50|reset|HTML|empty)/.test(one.name) && route.startsWith('GET ');
  return { route, fault: one, times: passing ? 2 : 1 };
}

/** One life in which each of these calls goes wrong, in a way that differs from call to call. */
function packed(name: string, of: readonly Site[], from: number): Plan {
  const strikes = of.map(({ route }, at) => struckBy(route, faults[(from + at * 7) % faults.length]!));
  const after = of.flatMap((site) => site.after ?? []);
  const forgotten = of.some((site) => site.forgotten);
  return { name: `${name} ${from}`, faults: [...after, ...strikes], ...(forgotten ? { forgotten } : {}) };
}

/** Every call with every fault, once: several calls of one life go wrong, far enough from each other. */
export function everyCellOnce(): Plan[] {
  const ordinary = without(...lookUps);
  const third = Math.ceil(ordinary.length / 3);
  const groups = [0, 1, 2].map((part) => ordinary.filter((_, at) => at % 3 === part).slice(0, third));
  const rare = lookUps.map((route) => sites.filter((site) => site.route === route));
  return [...groups, ...rare].flatMap((group, index) =>
    faults.map((_, from) => packed(`group ${index}`, group, from)),
  );
}

/** A few lives with every call, every fault, and each lost answer at each POST; few faults each, or they take long. */
export function diagonal(): Plan[] {
  const posts = sites.filter(({ route }) => route.startsWith('POST '));
  const others = without(...lookUps).filter((site) => !posts.includes(site));
  const lost = (name: string): Plan['faults'] => [
    ...posts.map(({ route }) => ({ route, fault: fault(name), times: 1 })),
    { route: repo('GET', comments), fault: fault('500'), times: 1 },
  ];
  const lives = [lost('reset after commit'), lost('502 after commit'), [], []].map((more, life): Plan => {
    // Every other call, and the faults go on where the life before has ended.
    const own = others.filter((_, at) => at % 2 === life % 2);
    const from = Math.ceil((life * others.length) / 2);
    const strikes = own.map(({ route }, at) => struckBy(route, faults[(from + at) % faults.length]!));
    return { name: `life ${life}`, forgotten: true, faults: [...more, ...strikes] };
  });
  const surplus = sites.find(({ route }) => route === lookUps[1])!;
  return [...lives, cell(surplus, fault('502 after commit'), 1)];
}

/** A life in which one call goes wrong in one way, so many times. */
function cell(site: Site, struck: NamedFault, times: number): Plan {
  const { route, after = [], forgotten } = site;
  const often = times === 1 ? 'once' : 'for good';
  return {
    name: `${route}: ${struck.name}, ${often}`,
    route,
    faults: [...after, { route, fault: struck, times }],
    ...(forgotten ? { forgotten } : {}),
  };
}

/** One fault of each kind: the others of a kind are treated alike for good. A limit that never ends is a wait. */
const FOR_GOOD = ['500', 'reset after commit', 'empty 200', '401', '403', '404', '410', '422 invalid'];

/** Each call with one fault of each kind that never ends. */
export function everyCellForGood(): Plan[] {
  return sites.flatMap((site) => FOR_GOOD.map((name) => cell(site, fault(name), Number.POSITIVE_INFINITY)));
}

const TALK = ['status comment', 'last status', 'plan', 'call for review'];

/** What can't be where a call never succeeds, and of which nobody need be told. */
export function mayMiss(route: string | undefined): readonly string[] {
  const [method = '', path = ''] = (route ?? '').split(' ');
  if (path.endsWith('/access_tokens')) return ['merged', 'issue closed', ...TALK, 'reaction', 'labels'];
  if (path.endsWith('/reactions')) return ['reaction'];
  if (path.includes('/labels')) return ['labels'];
  if (path.endsWith('/comments')) return TALK;
  if (path.includes('/issues/comments/')) return ['last status'];
  const deletes = method === 'DELETE' || path.includes('/branches/{branch}') || path.endsWith('/pulls');
  return deletes ? ['branch deleted', 'checkpoint deleted'] : [];
}

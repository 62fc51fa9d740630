import type { SpecRow } from '../../src/db/specs.ts';
import type { RepositoryState } from '../../src/emulator/snapshot.ts';
import type { House } from './fault-houses.ts';

/** How a life ended, and what must never be. */
export interface Verdict {
  readonly house: House;
  /** `converged`: as without faults. `told`: it stopped, and one comment says why. `quiet`: neither. */
  readonly end: 'converged' | 'told' | 'quiet';
  readonly wrong: readonly string[];
  /** What differs from the end without faults. */
  readonly missing: readonly string[];
  readonly notices: readonly string[];
  readonly status: string;
}

const KINDS = /effect=(\S+) -->/;
const ORDINARY = /%2Fstatus$|%2Fpublish_artifacts%2F|%2Fnotify%2Fpull_ready%2F/;

/** Judges one house by what GitHub shows of it in the end. */
export function judge(house: House, at: { repo: RepositoryState; spec: SpecRow | null }): Verdict {
  const { repo, spec } = at;
  const issue = repo.issues.find(({ number }) => number === house.issue)!;
  const comments = [...issue.comments, ...repo.pulls.flatMap((pull) => pull.comments)];
  const ours = comments.filter(({ author }) => author === 'specwright[bot]').map(({ body }) => body);
  const notices = ours.filter((body) => !ORDINARY.test(KINDS.exec(body)?.[1] ?? ''));
  const missing = lacks(repo, { issue, ours, spec });
  const told = notices.length === 1 && isClear(notices[0]!) && isStopped(spec);
  return {
    house,
    notices,
    missing,
    status: spec?.status ?? 'none',
    end: missing.length === 0 && notices.length === 0 ? 'converged' : told ? 'told' : 'quiet',
    wrong: [
      ...twice(
        'comment',
        ours.map((body) => KINDS.exec(body)?.[1] ?? body),
      ),
      ...twice(
        'reaction',
        issue.reactions.map(({ content }) => content),
      ),
      ...(repo.pulls.length > 1 ? [`${repo.pulls.length} pull requests`] : []),
      ...surplusBranches(repo),
      ...(notices.length > 1 ? [`${notices.length} notices`] : []),
      ...house.early.map((route) => `called ${route} while asked not to`),
    ],
  };
}

function isStopped(spec: SpecRow | null): boolean {
  return spec === null || spec.status === 'failed' || spec.status === 'pr_failed';
}

function isClear(notice: string): boolean {
  return /^@mona\b/.test(notice) && /\*\*What to do:\*\*/.test(notice);
}

function twice(what: string, names: readonly string[]): string[] {
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  return [...new Set(repeated)].map((name) => `more than one ${what}: ${name}`);
}

function surplusBranches(repo: RepositoryState): string[] {
  const own = Object.keys(repo.branches).filter((name) => name.startsWith('spec'));
  return own.length > 1 ? [`branches: ${own.join(', ')}`] : [];
}

function lacks(
  repo: RepositoryState,
  of: { issue: RepositoryState['issues'][number]; ours: readonly string[]; spec: SpecRow | null },
): string[] {
  const { issue, ours, spec } = of;
  const is = (what: string, holds: boolean) => (holds ? [] : [what]);
  const has = (pattern: RegExp) => ours.some((body) => pattern.test(KINDS.exec(body)?.[1] ?? ''));
  return [
    ...is('merged', spec?.status === 'merged' && repo.pulls[0]?.merged === true),
    ...is('issue closed', issue.state === 'closed'),
    ...is('status comment', has(/%2Fstatus$/)),
    ...is(
      'last status',
      ours.some((body) => /%2Fstatus/.test(body) && body.startsWith('## 🎉 Merged')),
    ),
    ...is('plan', has(/publish_artifacts/)),
    ...is('call for review', has(/pull_ready/)),
    ...is('reaction', issue.reactions.length === 1),
    ...is('labels', String(issue.labels) === 'spec' && (repo.pulls[0]?.labels.length ?? 0) === 0),
    ...is(
      'branch deleted',
      Object.keys(repo.branches).every((name) => name === 'main'),
    ),
    ...is('checkpoint deleted', Object.keys(repo.hiddenRefs).length === 0),
  ];
}

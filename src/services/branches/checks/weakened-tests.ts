/** What a change takes away from the tests, as far as its lines show it: for reviewers to look at, not to refuse. */
import { oneLine } from '../../markdown/markdown.ts';
import type { ChangedText, Line } from './lines.ts';

export type Weakening =
  | { readonly kind: 'deleted'; readonly path: string }
  /** Test cases that no changed file has any more under that name; `names` are those of the first few. */
  | {
      readonly kind: 'cases_removed';
      readonly path: string;
      readonly count: number;
      readonly names: readonly string[];
    }
  /** Tests that are passed over now; `lines` are those of the head. */
  | { readonly kind: 'skipped'; readonly path: string; readonly lines: readonly number[] }
  /** So many assertions fewer than before. */
  | { readonly kind: 'assertions_removed'; readonly path: string; readonly count: number };

const MOST_NAMES = 10;
const MOST_NAME_LENGTH = 120;
/** No test is written in a longer line; minified code is. */
const MOST_LINE_LENGTH = 2000;

const TEST_FOLDER = /(?:^|\/)(?:tests?|__tests__|specs?|testing|e2e|integration[-_]tests?)\//iu;
const TEST_FILE =
  /(?:[._-](?:test|spec|cy|e2e)\.[a-z]+$|_(?:test|spec|unittest)\.[a-z]+$|(?:^|\/)(?:test_[^/]+|conftest)\.py$|(?:Tests?|Specs?|IT)\.(?:java|kt|kts|groovy|scala|cs|fs|vb|swift|php|m|mm)$)/u;
const CODE =
  /\.(?:[cm]?[jt]sx?|vue|svelte|py|go|rs|rb|java|kts?|groovy|scala|cs|fs|vb|swift|php|exs?|dart|[chm]{1,2}|cc|cpp|cxx|hpp|lua|pl|t|sh|bats|clj|cljs|erl|hs|ml|jl|r|feature)$/iu;

/** A case's own line. The name, where there is one, tells whether it only moved. */
const CASES: readonly RegExp[] = [
  /^\s*(?:it|test|describe|context|suite|specify|scenario|bench)(?:\.\w+)*\s*(?:\([^()]*\)|`[^`]*`)?\s*\(\s*(?<name>["'`].*)?/u,
  /^\s*(?:async\s+)?def\s+(?<name>test\w*)\s*\(/u,
  /^\s*func\s+(?<name>(?:Test|Fuzz|Example)\w*)\s*\(/u,
  /^\s*func\s+(?<name>test\w*)\s*\(/u,
  /^\s*(?:public\s+)?function\s+(?<name>test\w*)\s*\(/u,
  /^\s*#\[(?:[\w:]+::)?(?:test|rstest|test_case|quickcheck)\b/u,
  /^\s*@(?:Test|ParameterizedTest|RepeatedTest|TestFactory|Property)\b/u,
  /^\s*\[(?:Fact|Theory|Test|TestCase|TestMethod|DataTestMethod)\b/u,
  /^\s*(?:TEST|TEST_F|TEST_P|TEST_CASE|SCENARIO)\s*\(\s*(?<name>[^)]*)/u,
  /^\s*(?:it|test|describe|context|feature|scenario|specify)\s+(?<name>["'].*)/u,
  /^\s*@test\s+(?<name>["'].*)/u,
  /^\s*Scenario(?: Outline)?:\s*(?<name>.+)/u,
];

const SKIP = new RegExp(
  [
    String.raw`\b(?:it|test|describe|context|suite|specify)(?:\.\w+)*\.(?:skip|skipIf|todo|fixme|only|failing|fails)\b`,
    String.raw`(?:^|[^\w.])(?:xit|xtest|xdescribe|xcontext|xspecify|fit|fdescribe|fcontext)\s*[(\s]\s*["'\x60]`,
    String.raw`\bthis\.skip\(|\b(?:ctx|t|context)\.(?:skip|todo)\(`,
    String.raw`@(?:pytest\.mark\.(?:skip|skipif|xfail)|(?:unittest\.)?(?:skip|skipIf|skipUnless|expectedFailure))\b`,
    String.raw`\bpytest\.(?:skip|xfail)\(|\bself\.skipTest\(|\braise\s+(?:unittest\.)?SkipTest`,
    String.raw`\b[tb]\.Skip(?:f|Now)?\(`,
    String.raw`#\[ignore\b`,
    String.raw`^\s*@(?:Ignore|Disabled\w*|EnabledIf\w*)\b`,
    String.raw`^\s*\[Ignore\b|\bSkip\s*=\s*"`,
    String.raw`\bmarkTest(?:Skipped|Incomplete)\(|\bXCTSkip\w*\b|\bGTEST_SKIP\b|^\s*@tag\s+:skip\b|^\s*skip\b\s*["'(]`,
  ].join('|'),
  'u',
);

const ASSERTION =
  /\b(?:expect\w*|assert\w*|should|refute\w*|must_\w+|verify|XCTAssert\w*|EXPECT_\w+|ASSERT_\w+|CHECK|REQUIRE)\s*[.!(]|\bassert\s|\.should\b|\brequire\.\w+\(|\bt\.(?:Error|Errorf|Fatal|Fatalf|Fail|FailNow|is|ok|equal|deepEqual|throws)\(|\bpytest\.raises\(|\bAssert\.\w+/gu;

/**
 * Deleted test files, cases that are gone, added skips and assertions that became fewer, file by file in their order.
 * Says what the lines show: a case that was rewritten in another form may be listed, one that was hollowed out without
 * losing a line is not.
 */
export function weakenedTests(texts: readonly ChangedText[]): Weakening[] {
  const code = texts.filter(({ path, movedFrom }) => CODE.test(movedFrom ?? path));
  const arrived = new Set(code.flatMap(({ added }) => casesOf(added).map(({ key }) => key)));
  return code.flatMap((text) => {
    if (text.change === 'deleted') {
      return isTestFile(text.path) ? [{ kind: 'deleted' as const, path: text.path }] : [];
    }
    const { movedFrom } = text;
    if (movedFrom !== null && isTestFile(movedFrom) && !isTestFile(text.path)) {
      return [{ kind: 'deleted' as const, path: movedFrom }];
    }
    return [...lostCases(text, arrived), ...newSkips(text), ...lostAssertions(text)];
  });
}

function isTestFile(path: string): boolean {
  return TEST_FILE.test(path) || TEST_FOLDER.test(path);
}

interface Case {
  readonly key: string;
  readonly name: string | null;
}

function casesOf(lines: readonly Line[]): Case[] {
  return lines.flatMap(({ text }) => {
    if (text.length > MOST_LINE_LENGTH) return [];
    for (const pattern of CASES) {
      const found = pattern.exec(text);
      if (!found) continue;
      const name = found.groups?.name === undefined ? null : plainName(found.groups.name);
      return [{ key: name ?? text.trim(), name }];
    }
    return [];
  });
}

/** A case's name without what stands behind it, so that another callback is no other case. */
function plainName(rest: string): string {
  const quoted = /^(["'`])(?<text>(?:\\.|(?!\1)[^\\])*)\1/u.exec(rest.trim());
  return oneLine(quoted?.groups?.text ?? rest.trim(), MOST_NAME_LENGTH);
}

function lostCases({ path, added, removed }: ChangedText, arrived: ReadonlySet<string>): Weakening[] {
  const gone = casesOf(removed);
  const named = gone.filter(({ name, key }) => name !== null && !arrived.has(key));
  // Marks such as @Test have no name: only how many there are tells anything.
  const unnamed =
    gone.filter(({ name }) => name === null).length -
    casesOf(added).filter(({ name }) => name === null).length;
  const count = named.length + Math.max(0, unnamed);
  if (count === 0) return [];
  return [
    { kind: 'cases_removed', path, count, names: named.slice(0, MOST_NAMES).map(({ name }) => name ?? '') },
  ];
}

function newSkips({ path, added, removed }: ChangedText): Weakening[] {
  const before = new Set(removed.filter(isSkip).map(({ text }) => text.trim()));
  const lines = added.filter((line) => isSkip(line) && !before.has(line.text.trim()));
  return lines.length === 0 ? [] : [{ kind: 'skipped', path, lines: lines.map(({ number }) => number) }];
}

function isSkip({ text }: Line): boolean {
  return text.length <= MOST_LINE_LENGTH && SKIP.test(text);
}

function lostAssertions({ path, added, removed }: ChangedText): Weakening[] {
  // Inline tests stand beside code that asserts for reasons of its own; only files of tests are counted.
  if (!isTestFile(path)) return [];
  const count = assertionsIn(removed) - assertionsIn(added);
  return count > 0 ? [{ kind: 'assertions_removed', path, count }] : [];
}

function assertionsIn(lines: readonly Line[]): number {
  return lines.reduce(
    (sum, { text }) => sum + (text.length <= MOST_LINE_LENGTH ? (text.match(ASSERTION)?.length ?? 0) : 0),
    0,
  );
}

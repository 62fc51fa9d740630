import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { buildSchema, type GraphQLSchema } from 'graphql';
import { SCHEMA } from '../../src/emulator/graphql/schema.ts';
import { beyond, inDocument, readGithubGraphql } from '../harness/graphql-schema.ts';

let github: GraphQLSchema;

beforeAll(() => {
  github = readGithubGraphql();
});

const SOURCE = new URL('../../src/', import.meta.url);
const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.startsWith('emulator/'),
);
/** The beginning of a document, wherever it stands. */
const BEGINS = /[`'"\n]\s*(?:query|mutation)\b\s*\w*\s*(?:\([^)]*\)\s*)?\{/g;

/** Every exported constant `…Document` of a module. */
async function documentsOf(file: string): Promise<[string, string][]> {
  const module: unknown = await import(new URL(file, SOURCE).href);
  return Object.entries(module as Record<string, unknown>).flatMap(([name, value]) =>
    name.endsWith('Document') && typeof value === 'string' ? [[name, value] as [string, string]] : [],
  );
}

describe('the GraphQL documents of the source', () => {
  const written = sources
    .map((file) => ({ file, text: readFileSync(new URL(file, SOURCE), 'utf8') }))
    .map(({ file, text }) => ({ file, count: text.match(BEGINS)?.length ?? 0 }))
    .filter(({ count }) => count > 0);

  test('are exported constants called "…Document" of modules under src/github, one for each operation', async () => {
    for (const { file, count } of written) {
      expect(file).toMatch(/^github\//);
      expect({ file, exported: (await documentsOf(file)).length }).toEqual({ file, exported: count });
    }
  });

  test('are all right by GitHub’s public schema', async () => {
    const documents = (await Promise.all(written.map(({ file }) => documentsOf(file)))).flat();
    const wrong = documents.map(([name, document]) => ({ name, problems: inDocument(github, document) }));
    expect(wrong.filter(({ problems }) => problems.length > 0)).toEqual([]);
  });

  test.each([
    ['`mutation Hide($id: ID!) { minimizeComment(input: { subjectId: $id }) { clientMutationId } }`', 1],
    ["'query { viewer { login } }'", 1],
    ['`\n  query($a: ID!) { node(id: $a) { id } }\n  `, `mutation X { x }`', 2],
    ['const query = { text };\nfunction query(a) {}', 0],
  ])('are found: %j', (text, count) => {
    expect(text.match(BEGINS)?.length ?? 0).toBe(count);
  });
});

describe('GitHub’s public schema', () => {
  test.each([
    `mutation($id: ID!) { minimizeComment(input: { subjectId: $id, classifier: OUTDATED }) { minimizedComment { isMinimized } } }`,
    `mutation($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }`,
    `mutation($id: ID!) { enablePullRequestAutoMerge(input: { pullRequestId: $id, mergeMethod: SQUASH }) { pullRequest { number } } }`,
    `mutation($id: ID!) { resolveReviewThread(input: { threadId: $id }) { thread { isResolved } } }`,
    `query($o: String!, $r: String!, $n: Int!) { repository(owner: $o, name: $r) { pullRequest(number: $n) { reviewThreads(first: 50) { nodes { id isResolved } } } } }`,
  ])('knows what a GitHub App needs it for: %s', (document) => {
    expect(inDocument(github, document)).toEqual([]);
  });

  test.each([
    ['query { viewer { login nope } }', 'Cannot query field "nope" on type "User"'],
    ['mutation { minimizeComment(input: { subjectId: "x" }) { clientMutationId } }', 'classifier'],
    [
      'mutation { minimizeComment(input: { subjectId: "x", classifier: BORING }) { clientMutationId } }',
      'BORING',
    ],
    ['query($id: Int!) { node(id: $id) { id } }', 'Variable "$id" of type "Int!"'],
    ['query {', 'Syntax Error'],
  ])('refuses %s', (document, problem) => {
    expect(inDocument(github, document).join()).toContain(problem);
  });
});

describe('the emulator’s part of the schema', () => {
  test('has nothing that GitHub has not, and each field, argument and value as GitHub has it', () => {
    expect(beyond(github, buildSchema(SCHEMA))).toEqual([]);
  });

  test('would be found out', () => {
    const wrong = buildSchema(`
      scalar URI
      enum PullRequestState { OPEN ASLEEP }
      input MinimizeCommentInput { subjectId: ID!, why: String }
      interface Node { id: ID! }
      type Painting { id: ID! }
      type RateLimit implements Node { id: ID!, cost: Float!, limit: Int!, colour: String }
      type Query { rateLimit(dryRun: Int): RateLimit, repository(owner: String!): Painting }
    `);
    expect(beyond(github, wrong).sort()).toEqual(
      [
        'MinimizeCommentInput.classifier: left out, though it has to be given',
        'MinimizeCommentInput.why: no such input',
        'Painting: no such type',
        'PullRequestState.ASLEEP: no such value',
        'Query.rateLimit.dryRun: Boolean in truth',
        'Query.repository.name: left out, though it has to be given',
        'Query.repository: Repository in truth',
        'RateLimit: is no Node',
        'RateLimit.colour: no such field',
        'RateLimit.cost: Int! in truth',
        'RateLimit.id: no such field',
      ].sort(),
    );
  });
});

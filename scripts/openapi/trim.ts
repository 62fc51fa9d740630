// Makes GitHub's description small enough to live with the tests: the wanted operations and events, and what they
// refer to. A keyword that the walker of the tests does not know stops it, so that no rule is lost in silence.

type Json = Record<string, unknown>;

export interface Operation {
  /** Parameters of the path by name. */
  readonly path: Record<string, Json>;
  /** Those of them that may contain slashes. */
  readonly multi: readonly string[];
  readonly query: Record<string, Json>;
  readonly required: readonly string[];
  readonly body: { readonly required: boolean; readonly schema: Json } | null;
  /** By status: a schema, null for no body, `"other"` for one that is no JSON. */
  readonly answers: Record<string, Json | null | 'other'>;
}

export interface Description {
  readonly about: string;
  readonly version: string;
  readonly license: string;
  /** What an older GitHub Enterprise Server does not have. */
  readonly ghes: { readonly version: string; readonly lacks: readonly string[] };
  readonly operations: Record<string, Operation>;
  /** Payloads by `event` or `event.action`. */
  readonly webhooks: Record<string, Json>;
  readonly schemas: Record<string, Json>;
}

/** The parts of the whole description that are read. */
export interface Whole {
  readonly info: { readonly version: string };
  readonly paths: Record<string, Record<string, RawOperation | undefined> | undefined>;
  readonly 'x-webhooks': Record<string, { readonly post: RawOperation }>;
  readonly components: Record<string, Record<string, Json>>;
}

interface RawOperation {
  readonly operationId: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Record<string, Json>;
}

const DROPPED =
  /^(x-.*|description|title|summary|example|examples|default|readOnly|deprecated|externalDocs|uniqueItems|discriminator)$/;
const KEPT = new Set(
  `$ref type format enum nullable pattern allOf oneOf anyOf items properties required additionalProperties
  minimum maximum minLength maxLength minItems maxItems maxProperties`.split(/\s+/),
);

/** Takes what is wanted out of the whole. @throws Error for a route that GitHub does not describe or a keyword unknown here. */
export function trim(whole: Whole, wanted: { routes: readonly string[]; events: readonly string[] }) {
  const operations = Object.fromEntries(wanted.routes.map((route) => [route, operationOf(whole, route)]));
  const webhooks = webhooksOf(whole, new Set(wanted.events));
  const schemas = reachable(whole, [operations, webhooks]);
  return { version: whole.info.version, operations, webhooks, schemas };
}

// Where GitHub's description contradicts itself. It has each entry of this list owned by somebody who is a user and
// an enterprise at once, and without the fields that the same object has when it is asked for alone.
const CORRECTED: Record<string, Operation['answers']> = {
  'GET /app/installations': { 200: { type: 'array', items: { $ref: 'installation' } } },
};

// Where GitHub answers otherwise than it describes: the fork that a pull request came from may be deleted since.
const GONE_FORKS = ['pull-request', 'pull-request-simple'];

function operationOf(whole: Whole, route: string): Operation {
  const [method = '', path = ''] = route.split(' ');
  const raw = whole.paths[path]?.[method.toLowerCase()];
  if (!raw) throw new Error(`GitHub describes no ${route}`);
  const parameters = (raw.parameters ?? []).map((one) => resolve(whole, one));
  const named = (place: string) => parameters.filter((one) => one.in === place);
  const schemas = (list: readonly Json[]) =>
    Object.fromEntries(list.map((one) => [String(one.name), schemaOf(one.schema)]));
  return {
    path: schemas(named('path')),
    multi: named('path')
      .filter((one) => one['x-multi-segment'] === true)
      .map((one) => String(one.name)),
    query: schemas(named('query')),
    required: named('query')
      .filter((one) => one.required === true)
      .map((one) => String(one.name)),
    body: bodyOf(whole, raw),
    answers: {
      ...Object.fromEntries(
        Object.entries(raw.responses).map(([status, answer]) => [status, answerOf(resolve(whole, answer))]),
      ),
      ...CORRECTED[route],
    },
  };
}

function resolve(whole: Whole, node: Json): Json {
  if (typeof node.$ref !== 'string') return node;
  const [, , kind = '', name = ''] = node.$ref.split('/');
  const found = whole.components[kind]?.[name];
  if (!found) throw new Error(`nothing at ${node.$ref}`);
  return found;
}

function bodyOf(whole: Whole, raw: RawOperation): Operation['body'] {
  if (!raw.requestBody) return null;
  const body = resolve(whole, raw.requestBody);
  const schema = jsonSchema(body);
  return schema ? { required: body.required === true, schema } : null;
}

function answerOf(answer: Json): Json | null | 'other' {
  if (Object.keys(answer.content ?? {}).length === 0) return null;
  return jsonSchema(answer) ?? 'other';
}

function jsonSchema(node: Json): Json | null {
  const content = (node.content ?? {}) as Record<string, Json>;
  const found = content['application/json'];
  return found ? schemaOf(found.schema) : null;
}

function webhooksOf(whole: Whole, events: ReadonlySet<string>): Record<string, Json> {
  const all = Object.values(whole['x-webhooks']).map(({ post }): [string, Json | null] => [
    eventOf(post),
    bodyOf(whole, post)?.schema ?? null,
  ]);
  const kept = all.filter(
    (one): one is [string, Json] => one[1] !== null && events.has(one[0].split('.')[0] ?? ''),
  );
  return Object.fromEntries(kept);
}

/** `issues/labeled` is `issues.labeled`, and `installation-repositories/added` is `installation_repositories.added`. */
function eventOf(post: RawOperation): string {
  return post.operationId.replaceAll('-', '_').replace('/', '.');
}

function schemaOf(schema: unknown): Json {
  if (typeof schema !== 'object' || schema === null) return {};
  const kept = Object.entries(schema).filter(([key]) => !DROPPED.test(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, keyword(key, value)]));
}

function keyword(key: string, value: unknown): unknown {
  if (!KEPT.has(key)) throw new Error(`a keyword that the walker does not know: ${key}`);
  if (key === '$ref') return String(value).replace('#/components/schemas/', '');
  if (key === 'items') return schemaOf(value);
  if (key === 'additionalProperties') return typeof value === 'boolean' ? value : schemaOf(value);
  if (key === 'allOf' || key === 'oneOf' || key === 'anyOf') return (value as unknown[]).map(schemaOf);
  if (key !== 'properties') return value;
  return Object.fromEntries(Object.entries(value as Json).map(([name, one]) => [name, schemaOf(one)]));
}

function reachable(whole: Whole, roots: readonly unknown[]): Record<string, Json> {
  const found = new Map<string, Json>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('$ref' in node && typeof node.$ref === 'string') add(node.$ref);
    for (const child of Object.values(node)) visit(child);
  };
  const add = (name: string): void => {
    if (found.has(name)) return;
    const schema = corrected(name, schemaOf(whole.components.schemas?.[name]));
    found.set(name, schema);
    visit(schema);
  };
  for (const root of roots) visit(root);
  return Object.fromEntries([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** @throws Error when what is to be corrected is not there any more. */
function corrected(name: string, schema: Json): Json {
  if (!GONE_FORKS.includes(name)) return schema;
  const { properties } = schema as { properties: Record<string, Json> };
  const head = properties.head as { properties: Record<string, Json> } | undefined;
  if (head?.properties.repo?.$ref !== 'repository') throw new Error(`${name} describes its head otherwise`);
  const repo = { $ref: 'nullable-repository' };
  return {
    ...schema,
    properties: { ...properties, head: { ...head, properties: { ...head.properties, repo } } },
  };
}

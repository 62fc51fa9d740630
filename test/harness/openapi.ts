import { readFileSync } from 'node:fs';
import type { Description, Operation } from '../../scripts/openapi/trim.ts';
import { createWalker, type Schema, type Walker } from './schema-walk.ts';

const FILE = new URL('../fixtures/github-openapi.json', import.meta.url);

/** A request as it was sent. */
export interface SentRequest {
  /** `GET /repos/{owner}/{repo}`, or the plain path where nothing fits. */
  readonly route: string;
  /** With its query, from the root of the API on. */
  readonly path: string;
  /** Its JSON; empty for none. */
  readonly body: unknown;
}

export interface GivenAnswer {
  readonly route: string;
  readonly status: number;
  /** Undefined for none; text and bytes are not looked into. */
  readonly body: unknown;
}

/** GitHub's own description of its API, as far as it is used here, and a judge by it. */
export interface GithubDescription {
  readonly description: Description;
  /** The operation of a method and a path without its query; null for none. */
  routeOf(method: string, path: string): string | null;
  /** What GitHub does not know in a request: path, parameters, fields, types, and what is missing. */
  inRequest(request: SentRequest): string[];
  /** What GitHub would not answer: status, fields, types, formats, and what is missing. */
  inAnswer(answer: GivenAnswer): string[];
  /** The same of an answer that has only the fields that somebody reads: nothing in it is missing. */
  inPartOfAnswer(answer: GivenAnswer): string[];
  /** What GitHub would not send as the payload of an event, named `event` or `event.action`. */
  inWebhook(name: string, payload: unknown): string[];
}

// Any operation may answer with these, whether its description says so or not.
const ALWAYS = new Set([301, 302, 304, 307, 308, 400, 401, 403, 404, 409, 410, 422, 429]);

/** Reads the trimmed description; takes some milliseconds. */
export function readGithubDescription(): GithubDescription {
  const description = JSON.parse(readFileSync(FILE, 'utf8')) as Description;
  const { operations, webhooks, schemas } = description;
  const walker = createWalker(schemas);
  const parts = createWalker(schemas, { parts: true });
  const templates = Object.entries(operations).map(([route, operation]) => ({
    route,
    pattern: patternOf(route, operation),
  }));
  return {
    description,
    routeOf(method, path) {
      const asked = `${method} ${named(path)}`;
      return templates.find(({ pattern }) => pattern.test(asked))?.route ?? null;
    },
    inRequest({ route, path, body }) {
      const operation = operations[route];
      if (!operation) return ['the path is not documented'];
      const [plain = '', query = ''] = path.split('?');
      return [
        ...inPath(operation, route, plain),
        ...inQuery(operation, new URLSearchParams(query)),
        ...inBody(operation, body),
      ];
    },
    inAnswer: (answer) => inAnswer(answer, walker),
    inPartOfAnswer: (answer) => inAnswer(answer, parts),
    inWebhook(name, payload) {
      const schema = webhooks[name];
      return schema ? walker.check(payload, schema, 'payload') : ['the event is not documented'];
    },
  };

  function inPath(operation: Operation, route: string, path: string): string[] {
    const found = patternOf(route, operation).exec(`${route.split(' ')[0]} ${named(path)}`);
    if (!found) return ['the path does not fit its route'];
    return Object.entries(found.groups ?? {}).flatMap(([name, text]) =>
      walker.check(read(text, operation.path[name] ?? {}), operation.path[name] ?? {}, `path.${name}`),
    );
  }

  function inQuery(operation: Operation, query: URLSearchParams): string[] {
    const missing = operation.required.filter((name) => !query.has(name));
    return [
      ...missing.map((name) => `query.${name}: missing`),
      ...[...query].flatMap(([name, text]) => {
        const schema = operation.query[name];
        return schema
          ? walker.check(read(text, schema), schema, `query.${name}`)
          : [`query.${name}: not documented`];
      }),
    ];
  }

  function inBody({ body: wanted }: Operation, body: unknown): string[] {
    const empty = typeof body === 'object' && body !== null && Object.keys(body).length === 0;
    if (empty && !Array.isArray(body)) return wanted?.required ? walker.check({}, wanted.schema, 'body') : [];
    return wanted ? walker.check(body, wanted.schema, 'body') : ['body: not documented'];
  }

  function inAnswer({ route, status, body }: GivenAnswer, judge: Walker): string[] {
    const schema = operations[route]?.answers[String(status)];
    if (schema === undefined && !ALWAYS.has(status)) return [`the status ${status} is not documented`];
    if (typeof body === 'string' || Buffer.isBuffer(body) || schema === 'other') return [];
    if (status >= 300) return inError(schema ?? null, body, judge);
    if (schema) return judge.check(body, schema, 'answer');
    return body === undefined ? [] : ['answer: has a body'];
  }

  /** GitHub's errors carry their status as a text besides what the description names. */
  function inError(schema: Schema | null, body: unknown, judge: Walker): string[] {
    if (body === undefined) return [];
    const forms = [...(schema ? [schema] : []), { $ref: 'basic-error' }, { $ref: 'validation-error' }];
    const all = forms.map((one) => judge.check(body, { allOf: [one, STATUS] }, 'answer'));
    return all.sort((one, other) => one.length - other.length)[0] ?? [];
  }
}

const STATUS = { type: 'object', properties: { status: { type: 'string' } } };

/** `/repositories/{id}` is another name of `/repos/{owner}/{repo}`: redirects of renamed repositories lead there. */
function named(path: string): string {
  return path.replace(/^\/repositories\/\d+(?=\/|$)/, '/repos/owner/name');
}

function patternOf(route: string, { multi }: Operation): RegExp {
  const source = route.replace(/[.*+?^$()|[\]\\]|\{(\w+)\}/g, (text, name: string | undefined) => {
    if (!name) return `\\${text}`;
    return `(?<${name}>${multi.includes(name) ? '.*' : '[^/]+'})`;
  });
  return new RegExp(`^${source}$`);
}

/** The text of a parameter as the type that is asked for, where it is one. */
function read(text: string, { type }: Schema): unknown {
  const value = decodeURIComponent(text);
  if ((type === 'integer' || type === 'number') && /^-?\d+$/.test(value)) return Number(value);
  if (type === 'boolean' && /^(true|false)$/.test(value)) return value === 'true';
  return value;
}

import type { Json } from './state.ts';

export interface Reply {
  readonly status: number;
  /** An object or array is sent as JSON, a string as HTML or text by its content type; undefined sends no body. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** An answer of 4xx, thrown from anywhere in a request. */
export class Problem extends Error {
  readonly status: number;
  readonly details: Json;
  readonly headers: Record<string, string>;
  constructor(status: number, message: string, more: { details: Json; headers: Record<string, string> }) {
    super(message);
    this.status = status;
    this.details = more.details;
    this.headers = more.headers;
  }
}

const DOCS = 'https://docs.github.com/rest';

/** An error answer in GitHub's form: message, documentation_url and status. */
export function problem(status: number, message: string, details: Json = {}): Problem {
  return new Problem(status, message, { details, headers: {} });
}

/** 404, which GitHub also gives for what the caller may not know of. */
export function notFound(): Problem {
  return problem(404, 'Not Found');
}

/** 422 "Validation Failed" with one error entry. */
export function invalid(error: Json): Problem {
  return problem(422, 'Validation Failed', { errors: [error] });
}

/** The reply of a thrown problem. */
export function problemReply(error: Problem): Reply {
  const body = {
    message: error.message,
    documentation_url: DOCS,
    ...error.details,
    status: String(error.status),
  };
  return { status: error.status, body, headers: error.headers };
}

/** 200 with a body. */
export function ok(body: unknown, headers: Record<string, string> = {}): Reply {
  return { status: 200, body, headers };
}

/** 201 with a body. */
export function created(body: unknown): Reply {
  return { status: 201, body };
}

/** 204. */
export function noContent(): Reply {
  return { status: 204 };
}

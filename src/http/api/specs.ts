import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Logger } from '../../log.ts';
import { answerErrorsAsProblems, sendProblem } from '../problem.ts';
import { carriesBearer } from './bearer.ts';

/** Which part of a spec's events is asked for: those with `seq` above `after`, oldest first. */
export interface EventsQuery {
  readonly after: number;
  readonly limit: number;
  /** One type of event ("spec.phase_completed"), or null for all. */
  readonly type: string | null;
}

/** The read model behind the API. Null where there is no such spec; anything else is sent as it is. */
export interface SpecReader {
  sandboxStatus(specId: string): Promise<object | null>;
  events(specId: string, query: EventsQuery): Promise<object | null>;
}

export interface SpecsApiOptions {
  /** The operator's token, or null: then every request is answered 401. */
  readonly token: string | null;
  readonly read: SpecReader;
  readonly log: Logger;
}

const parameters = z.object({ id: z.uuid() });
const whole = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);
const eventsQuery = z.strictObject({
  after: whole.default(0),
  limit: whole.pipe(z.int().min(1).max(500)).default(100),
  type: z
    .string()
    .regex(/^[a-z_.]{1,64}$/)
    .nullable()
    .default(null),
});

/**
 * What operators can ask about a spec, with the bearer token of `API_TOKEN`.
 *
 * `GET /api/v1/specs/{id}/sandbox-status` and `GET /api/v1/specs/{id}/events?after=&limit=&type=`.
 * 401 without the token, 404 for an id that is unknown or no uuid, 400 for a query that is not understood.
 */
export function specsApi({ token, read, log }: SpecsApiOptions): FastifyPluginAsync {
  return async (app) => {
    answerErrorsAsProblems(app, log);
    app.addHook('onRequest', async (request, reply) => {
      if (token === null)
        return refuse(reply, 'Set API_TOKEN to at least 32 random bytes and restart to open the API.');
      if (!carriesBearer(request.headers.authorization, token)) {
        return refuse(reply, 'Send the header "Authorization: Bearer" with the value of API_TOKEN.');
      }
    });
    app.get('/api/v1/specs/:id/sandbox-status', async (request, reply) => {
      const id = idOf(request.params);
      return answer(reply, id ? await read.sandboxStatus(id) : null);
    });
    app.get('/api/v1/specs/:id/events', async (request, reply) => {
      const id = idOf(request.params);
      if (!id) return answer(reply, null);
      const query = eventsQuery.safeParse(request.query);
      if (!query.success) return sendProblem(reply, BAD_QUERY);
      return answer(reply, await read.events(id, query.data));
    });
  };
}

const BAD_QUERY = {
  status: 400,
  title: 'The query is not understood.',
  detail: '"after" is a sequence number, "limit" a number from 1 to 500, "type" the type of an event.',
};

function idOf(params: unknown): string | null {
  const read = parameters.safeParse(params);
  return read.success ? read.data.id.toLowerCase() : null;
}

function answer(reply: FastifyReply, found: object | null): FastifyReply {
  if (found) return reply.header('cache-control', 'no-store').send(found);
  return sendProblem(reply, { status: 404, title: 'There is no such spec.' });
}

function refuse(reply: FastifyReply, detail: string): FastifyReply {
  reply.header('www-authenticate', 'Bearer realm="specwright"');
  return sendProblem(reply, { status: 401, title: "This needs the operator's token.", detail });
}

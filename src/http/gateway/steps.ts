import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import { crashPoint } from '../../crash-point.ts';
import { eventBatchSchema, LIMITS, stepResultSchema } from '../../runner/protocol.ts';
import type { GatewayBackend } from './backend.ts';
import { sandboxOf } from './identity.ts';
import { refuse } from './refuse.ts';
import { storable } from './storable.ts';

/** JSON around the events of a batch: fixed fields and punctuation, bytes. */
const BATCH_OVERHEAD = 128 * 1024;
/** The database's integer. */
const LAST_SEQ = 2 ** 31 - 1;
/** Years that a sane clock shows; the database's range ends somewhere else than JavaScript's. */
const SANE_TIME = /^20\d\d-/;

const stepId = z.uuid();

/** `POST /steps/next`, `POST /steps/:stepId/result` and `POST /events`. */
export function stepRoutes(backend: GatewayBackend): FastifyPluginAsync {
  return async (app) => {
    app.post('/steps/next', { bodyLimit: 1024 }, async (request) => {
      const next = await backend.nextStep(sandboxOf(request));
      crashPoint('gateway.step-given');
      return next;
    });

    app.post<{ Params: { stepId: string } }>(
      '/steps/:stepId/result',
      { bodyLimit: LIMITS.resultBytes },
      async (request, reply) => {
        const result = stepResultSchema.safeParse(storable(request.body));
        if (!result.success || !stepId.safeParse(request.params.stepId).success) {
          return refuse(request, reply, 'unreadable');
        }
        const answer = await backend.stepResult(sandboxOf(request), request.params.stepId, result.data);
        crashPoint('gateway.result-committed');
        return answer === 'not_open' ? refuse(request, reply, 'not_open') : {};
      },
    );

    app.post('/events', { bodyLimit: LIMITS.batchBytes + BATCH_OVERHEAD }, async (request, reply) => {
      const batch = eventBatchSchema.safeParse(storable(request.body));
      if (!batch.success || !batch.data.events.every(isStorable)) {
        return refuse(request, reply, 'unreadable');
      }
      const ack = await backend.ingest(sandboxOf(request), batch.data);
      crashPoint('gateway.events-stored');
      return ack;
    });
  };
}

type Event = z.infer<typeof eventBatchSchema>['events'][number];

function isStorable(event: Event): boolean {
  return (
    event.seq <= LAST_SEQ &&
    SANE_TIME.test(event.at) &&
    Buffer.byteLength(JSON.stringify(event.data)) <= LIMITS.eventBytes
  );
}

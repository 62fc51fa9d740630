/**
 * The Probot app: which event goes to which handler. The process (src/main.ts) feeds it from the inbox; with
 * `probot receive` it opens what it needs for one event.
 */
import type { ApplicationFunction, Probot } from 'probot';
import type { Call } from './handlers/dispatcher.ts';
import { type HandledEvent, handlers } from './handlers/index.ts';

/** A Probot app whose handlers are called through `call`. */
export function createApp(call: Call): ApplicationFunction {
  return (app: Probot) => {
    for (const [event, handler] of Object.entries(handlers)) {
      app.on(event as HandledEvent, (context) => call(handler, context));
    }
  };
}

/** The app for `probot receive` and `probot run`: no inbox, one transaction an event. */
export default function app(probot: Probot): void {
  for (const [event, handler] of Object.entries(handlers)) {
    probot.on(event as HandledEvent, async (context) => {
      const { receiveAlone } = await import('./receive-alone.ts');
      const verdict = await receiveAlone(handler, context);
      context.log.info({ outcome: verdict.outcome, reason: verdict.reason }, 'event decided');
    });
  }
}

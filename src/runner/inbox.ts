/**
 * Messages from people to the agent. They arrive in the acknowledgements of events and come again until a
 * `message.received` names them.
 *
 * Races
 * - A message comes twice → it is written under its id once and acknowledged again, which is harmless.
 * - No agent is running → a message waits here, unacknowledged, so that it survives a lost sandbox; an interrupt has
 *   nothing to interrupt and is acknowledged, or it would end the next agent instead of this one.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Emit } from './context.ts';
import type { EventAck } from './protocol.ts';

type Message = EventAck['messages'][number];

export interface Inbox {
  deliver(messages: readonly Message[]): void;
  /** The agent's run takes messages from now on, into `scratch`. Answers what ends that. */
  open(agent: { scratch: string; interrupt: () => void }): () => void;
}

export function createInbox(emit: Emit): Inbox {
  const seen = new Set<string>();
  const waiting = new Map<string, Message>();
  let agent: { scratch: string; interrupt: () => void } | null = null;

  const take = (message: Message): void => {
    if (agent === null && message.kind === 'message') {
      waiting.set(message.id, message);
      return;
    }
    if (!seen.has(message.id)) {
      seen.add(message.id);
      waiting.delete(message.id);
      if (agent && message.kind === 'interrupt') agent.interrupt();
      if (agent && message.kind === 'message') {
        writeFileSync(join(agent.scratch, `message-${message.id}.txt`), message.text);
      }
    }
    emit('message.received', { id: message.id });
  };

  return {
    deliver: (messages) => messages.forEach(take),
    open(next) {
      agent = next;
      [...waiting.values()].forEach(take);
      return () => {
        agent = null;
      };
    },
  };
}

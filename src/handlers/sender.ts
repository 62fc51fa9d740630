import type { Sender } from '../services/access/sender.ts';

/** The person or bot behind an event. */
export function senderOf(payload: { sender: { login: string; type: string } }): Sender {
  const { login, type } = payload.sender;
  return { login, isBot: type === 'Bot' || login.endsWith('[bot]') };
}

import type { Emulator, EmulatorHooks, Exchange } from '../../src/emulator/emulator.ts';
import { type GithubDescription, readGithubDescription } from './openapi.ts';

// Of exchanges that look alike at first sight, this many are looked at closely: a stress test sends ten thousand.
const CLOSELY = 20;

export interface Conformance {
  /** What did not keep to GitHub's description so far, each kind once. */
  violations(): string[];
  /** Looks at the webhooks too. @throws Error that lists every violation. */
  assert(): void;
}

/**
 * Holds all that passes between an emulated GitHub and its callers against GitHub's own description. Requests of Apps
 * are held to it whatever came of them if `app` says so; all others only where they were granted, since tests ask for
 * nonsense to see it refused.
 */
export function watchConformance(
  github: Pick<Emulator, 'deliveries'> & { readonly hooks: Pick<EmulatorHooks, 'onExchange'> },
  options: { app: 'always' | 'when granted' },
): Conformance {
  const description = readGithubDescription();
  const found = new Set<string>();
  const seen = new Map<string, number>();
  const often = (key: string) => {
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    return times > CLOSELY;
  };
  github.hooks.onExchange = (exchange) => {
    const { record, reply, sent } = exchange;
    if (record.kind !== 'rest') return;
    const parameters = record.path.replace(/^[^?]*|=[^&]*/g, '');
    if (often([record.route, parameters, keysOf(sent), reply.status, keysOf(reply.body)].join(' '))) return;
    for (const problem of inExchange(description, exchange, options.app)) found.add(problem);
  };
  const webhooks = () => {
    for (const { event, action, payload } of github.deliveries()) {
      const name = action === null ? event : `${event}.${action}`;
      if (often(`${name} ${keysOf(payload)}`)) continue;
      for (const problem of description.inWebhook(name, payload)) found.add(`webhook ${name}: ${problem}`);
    }
  };
  const violations = () => {
    webhooks();
    return [...found].sort();
  };
  return {
    violations,
    assert() {
      const all = violations();
      if (all.length > 0) throw new Error(`against GitHub's own description:\n${all.join('\n')}`);
    },
  };
}

function keysOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.keys(value).join() : typeof value;
}

function inExchange(
  description: GithubDescription,
  { record, sent, reply }: Exchange,
  strictly: 'always' | 'when granted',
): string[] {
  const { route, actor } = record;
  const path = record.path.replace(/^\/api\/v3/, '');
  const ours = actor.kind === 'app' || actor.kind === 'installation';
  const held = reply.status < 300 || (ours && strictly === 'always');
  const request = held && sent !== undefined ? description.inRequest({ route, path, body: sent }) : [];
  const answer = description.inAnswer({ route, status: reply.status, body: reply.body });
  return [
    ...request.map((problem) => `request ${route}: ${problem}`),
    ...answer.map((problem) => `answer ${route} ${reply.status}: ${problem}`),
  ];
}

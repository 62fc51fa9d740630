/** Who may start a spec, as a pure decision over facts that were asked live. */

export type Permission = 'none' | 'read' | 'triage' | 'write' | 'maintain' | 'admin';

/** What an issue's author may do; "bot" is one that the settings allow by name. */
export type AuthorPermission = Permission | 'bot';

export interface Sender {
  readonly login: string;
  readonly isBot: boolean;
}

export type Admission =
  | { readonly kind: 'admitted' }
  /** `tell`: explain it in a comment. Strangers and bots get none, so that nobody can make the App talk. */
  | { readonly kind: 'refused'; readonly reason: string; readonly tell: boolean };

const enough: ReadonlySet<Permission> = new Set(['write', 'maintain', 'admin']);

/** Write permission or better admits a person; a bot has to be allowed by name and needs no role. */
export function admit(
  sender: Sender,
  facts: { permission: Permission; allowBots: readonly string[]; isPrivate: boolean },
): Admission {
  if (sender.isBot) {
    if (facts.allowBots.includes(sender.login)) return { kind: 'admitted' };
    const reason = `bots start no spec unless \`allowBots\` in .github/specwright.yml names them`;
    return { kind: 'refused', reason, tell: false };
  }
  if (enough.has(facts.permission)) return { kind: 'admitted' };
  return {
    kind: 'refused',
    reason: `starting a spec needs write permission on this repository, and @${sender.login} has "${facts.permission}"`,
    tell: facts.permission === 'triage' || (facts.permission === 'read' && facts.isPrivate),
  };
}

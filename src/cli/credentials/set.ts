import { readInstallationRow } from '../../db/accounts.ts';
import { UserError } from '../../errors.ts';
import { createKeyring } from '../../seal.ts';
import { setCredential } from '../../services/credentials/edit.ts';
import { givenAs, parseBaseUrl, parseSecret } from '../../services/credentials/parse.ts';
import { commandFor, nameOf } from '../../services/credentials/place.ts';
import { SEALING_PURPOSE } from '../../services/credentials/sealed-row.ts';
import type { Action } from './arguments.ts';
import type { Desk } from './credentials.ts';
import { findOwner } from './owner.ts';
import { readSecretInput } from './read-secret.ts';

const TERMS =
  "Anthropic's terms (https://code.claude.com/docs/en/legal-and-compliance): a subscription is for the ordinary use of Anthropic's own applications by the person who bought it; who offers a product is asked to use API keys, and may not route other people's requests through a subscription. Whether your use is covered is between you and Anthropic.";

/** Seals what was given and stores it. */
export async function set(desk: Desk, action: Extract<Action, { do: 'set' }>): Promise<number> {
  const { db, config, actor, say } = desk;
  const { kind } = action;
  if (kind === 'claude-subscription') expectAllowed(action, config.allowSubscription);
  const address = parseBaseUrl(kind, action.baseUrl);
  if (!address.ok) throw new UserError(address.problem);
  const owner = await findOwner(db, action.owner);
  if ((kind === 'bedrock' || kind === 'vertex') && process.stdin.isTTY)
    throw new UserError(
      `It is given as a file: ${commandFor(kind, owner)} < credential.json. The file holds ${givenAs[kind]}.`,
    );
  const read = parseSecret(kind, await readSecretInput(`Key for ${kind} (it is not shown): `));
  if (!read.ok) throw new UserError(`${read.problem} Nothing was set.`);
  const keyring = createKeyring(config.keys, SEALING_PURPOSE);
  const { secret } = read;
  const done = await setCredential({ db, keyring, actor }, { owner, secret, baseUrl: address.baseUrl });
  if (done.kind === 'no_key') throw new UserError('CREDENTIAL_KEYS is not set, so nothing was set.');
  const verb = done.kind === 'added' ? 'Set' : 'Replaced';
  say(
    `${verb} the credential "${kind}" of ${nameOf(owner)}: it ends in ${done.hint} and is sealed with "${done.keyId}".`,
  );
  if (kind === 'claude-subscription')
    say(`It pays only for specs that its owner asks for, while ALLOW_CLAUDE_SUBSCRIPTION is yes.\n${TERMS}`);
  if (owner.scope === 'installation' && (await readInstallationRow(db, owner.id)) === null)
    say(`Look at the number: this database has not heard of an installation ${owner.id} yet.`);
  return 0;
}

function expectAllowed({ owner }: Extract<Action, { do: 'set' }>, allowed: boolean): void {
  if (owner.scope !== 'user')
    throw new UserError(
      `A Claude subscription is one person's: give it with --user LOGIN. For more than one person use an API key (--kind anthropic).\n${TERMS}`,
    );
  if (!allowed)
    throw new UserError(
      `This deployment uses no Claude subscriptions. Read the provider's terms; if you may, set ALLOW_CLAUDE_SUBSCRIPTION=yes, here and for the App, and give this command again.\n${TERMS}`,
    );
}

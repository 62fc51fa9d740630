import { parseArgs } from 'node:util';
import { UserError } from '../../errors.ts';
import { type CredentialKind, credentialKinds } from '../../services/credentials/credential.ts';

/** Whose a credential shall be, as it was written: a login or GitHub's numeric id. */
export type OwnerArgument =
  | { readonly scope: 'user' | 'installation'; readonly text: string }
  | { readonly scope: 'system' };

export type Action =
  | {
      readonly do: 'set';
      readonly kind: CredentialKind;
      readonly owner: OwnerArgument;
      readonly baseUrl: string | undefined;
    }
  | { readonly do: 'remove'; readonly kind: CredentialKind; readonly owner: OwnerArgument }
  | { readonly do: 'list'; readonly json: boolean }
  | { readonly do: 'rotate' };

const USAGE = `Usage:
  specwright credentials set --kind KIND (--user U | --installation I | --system) [--base-url URL]
  specwright credentials remove --kind KIND (--user U | --installation I | --system)
  specwright credentials list [--json]
  specwright credentials rotate

  KIND is ${credentialKinds.join(', ')}. U and I are logins or GitHub's numeric ids.
  "set" reads the key from standard input, or asks for it without showing it.`;

const options = {
  kind: { type: 'string' },
  user: { type: 'string' },
  installation: { type: 'string' },
  system: { type: 'boolean' },
  'base-url': { type: 'string' },
  json: { type: 'boolean' },
} as const;

const allowed = {
  set: ['kind', 'user', 'installation', 'system', 'base-url'],
  remove: ['kind', 'user', 'installation', 'system'],
  list: ['json'],
  rotate: [],
} as const satisfies Readonly<Record<Action['do'], readonly (keyof typeof options)[]>>;

type Values = ReturnType<typeof parse>;

export type ArgumentsReading =
  | { readonly ok: true; readonly action: Action }
  /** Never quotes the command line, since a key may have got there. */
  | { readonly ok: false; readonly problem: string };

/** Reads the command line. */
export function readArguments(args: readonly string[]): ArgumentsReading {
  try {
    return { ok: true, action: read(args) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, problem: error.message };
  }
}

function read(args: readonly string[]): Action {
  const [name = '', ...rest] = args;
  if (!isAction(name)) throw new UserError(name === '' ? USAGE : `There is no such action.\n\n${USAGE}`);
  const values = parse(rest);
  const given = Object.keys(values) as (keyof typeof options)[];
  const known: readonly string[] = allowed[name];
  const foreign = given.find((option) => !known.includes(option));
  if (foreign) throw new UserError(`"credentials ${name}" knows no option --${foreign}.\n\n${USAGE}`);
  if (name === 'list') return { do: name, json: values.json ?? false };
  if (name === 'rotate') return { do: name };
  const place = { kind: kindOf(values), owner: ownerOf(values) };
  return name === 'remove' ? { do: name, ...place } : { do: name, ...place, baseUrl: values['base-url'] };
}

function isAction(name: string): name is Action['do'] {
  return Object.hasOwn(allowed, name);
}

function parse(args: readonly string[]) {
  const { values, positionals } = parsed(args);
  if (positionals.length > 0)
    throw new UserError(
      'A key is never given as an argument: other users of this machine see arguments, and shells keep them. If that was a key, take it out of the shell\'s history and replace it at its provider. "credentials set" reads the key from standard input, or asks for it.',
    );
  return values;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch {
    // Node's own words quote the argument.
    throw new UserError(
      `There is an option that is not known, has no value, or has one that it does not take.\n\n${USAGE}`,
    );
  }
}

function kindOf({ kind }: Values): CredentialKind {
  const found = credentialKinds.find((name) => name === kind);
  if (found) return found;
  throw new UserError(`Say with --kind what it is for: ${credentialKinds.join(', ')}.`);
}

function ownerOf({ user, installation, system }: Values): OwnerArgument {
  const owners: OwnerArgument[] = [
    ...(user === undefined ? [] : [{ scope: 'user', text: user } as const]),
    ...(installation === undefined ? [] : [{ scope: 'installation', text: installation } as const]),
    ...(system ? [{ scope: 'system' } as const] : []),
  ];
  const [owner] = owners;
  if (owner && owners.length === 1) return owner;
  throw new UserError(
    'Say for whom it is: --user LOGIN, --installation LOGIN (the account that the App is installed on), or --system for everybody; one of them.',
  );
}

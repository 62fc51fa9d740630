import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { FatalError } from '../errors.ts';

export interface Jwt {
  readonly jwt: string;
  readonly expiresAt: string;
}

/** GitHub refuses a token that begins in its future or lives over ten minutes; clocks differ by seconds. */
const BACKDATED_SECONDS = 60;
const LIFE_SECONDS = 9 * 60;

/**
 * Signs the App's JWTs. The key is read once, here, so that a broken one stops the start and not the first call.
 * @throws FatalError when the key is no RSA private key in PEM form (`\n` may be written as two characters).
 */
export function createJwtSigner(privateKey: string) {
  const key = readKey(privateKey);
  return async (appId: number | string, timeDifferenceSeconds = 0): Promise<Jwt> => {
    const now = Math.floor(Date.now() / 1000) + timeDifferenceSeconds;
    const claims = { iat: now - BACKDATED_SECONDS, exp: now + LIFE_SECONDS, iss: String(appId) };
    const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
    const signature = sign('RSA-SHA256', Buffer.from(text), key).toString('base64url');
    return { jwt: `${text}.${signature}`, expiresAt: new Date(claims.exp * 1000).toISOString() };
  };
}

function readKey(pem: string): KeyObject {
  const key = parse(pem.replaceAll('\\n', '\n'));
  if (key?.asymmetricKeyType !== 'rsa')
    throw new FatalError('the private key of the App is no RSA key in PEM form');
  return key;
}

// What OpenSSL says of a broken key is of no use to an operator, and might quote it.
function parse(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

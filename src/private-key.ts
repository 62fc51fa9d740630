import { createPrivateKey } from 'node:crypto';

/** What GitHub generates; less can be factored. */
const MIN_RSA_BITS = 2048;

export type PrivateKeyReading =
  | { readonly ok: true; readonly pem: string }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads an App's private key as environments carry it: PEM text, PEM text with line ends written as `\n`, or the
 * whole file in base64, each with or without quotes. Never throws; a problem never quotes the value.
 */
export function readPrivateKey(value: string): PrivateKeyReading {
  const pem = toPem(value.trim().replace(/^(["'])([\s\S]*)\1$/, '$2'));
  if (!pem) return { ok: false, problem: 'is neither PEM text nor PEM text in base64' };
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'rsa') return { ok: false, problem: 'is not an RSA key' };
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < MIN_RSA_BITS) return { ok: false, problem: `has fewer than ${MIN_RSA_BITS} bits` };
    return { ok: true, pem };
  } catch {
    // The library's message may quote its input.
    return { ok: false, problem: 'looks like PEM but holds no readable private key (is it cut off?)' };
  }
}

function toPem(value: string): string | null {
  const text = value.replaceAll('\\r', '').replaceAll('\\n', '\n');
  if (text.includes('-----BEGIN')) return `${text.trim()}\n`;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.includes('-----BEGIN') ? `${decoded.trim()}\n` : null;
}

export type BaseUrlReading =
  | { readonly ok: true; readonly url: string }
  /** Continues "The base URL" or a variable's name; never quotes the address, which may hold a secret. */
  | { readonly ok: false; readonly problem: string };

/**
 * Reads the address of a model API: what stands before the API's own path (`/v1/messages`, `/v1/responses`), so a
 * trailing `/v1`, which OpenAI's SDKs want, is taken off. Keys are sent there, so anything but https has to stay on
 * this machine or in its own network.
 */
export function readBaseUrl(text: string): BaseUrlReading {
  if (!URL.canParse(text)) return no('is no URL such as https://models.example.com');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return no('does not begin with https://');
  if (url.username !== '' || url.password !== '') return no('must not hold a user name or password');
  if (url.search !== '' || url.hash !== '') return no('must not have a "?" or "#" part');
  if (url.protocol === 'http:' && !isNear(url.hostname))
    return no('is http, which would send the key unencrypted through foreign networks: use https');
  return { ok: true, url: `${url.origin}${url.pathname}`.replace(/\/+$/, '').replace(/\/v1$/, '') };
}

function no(problem: string): BaseUrlReading {
  return { ok: false, problem };
}

/** Loopback, private addresses (RFC 1918) and names that only a local network knows. */
function isNear(host: string): boolean {
  if (/^(?:127|10)(?:\.\d+){3}$|^192\.168(?:\.\d+){2}$|^172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}$/.test(host))
    return true;
  if (host.startsWith('[')) return host === '[::1]';
  return !host.includes('.') || /\.(?:internal|local|localhost)$/.test(host);
}

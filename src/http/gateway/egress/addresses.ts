import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/**
 * Addresses that are none of the public Internet: this machine, its network, a cloud's metadata service.
 * https://www.iana.org/assignments/iana-ipv4-special-registry, …/iana-ipv6-special-registry
 */
const inner = new BlockList();
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  inner.addSubnet(address, prefix, 'ipv4');
}
/** Of IPv6 only what is given out as global unicast is public, and of that not what wraps an IPv4 address. */
const outer = new BlockList();
outer.addSubnet('2000::', 3, 'ipv6');
for (const [address, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const) {
  inner.addSubnet(address, prefix, 'ipv6');
}

/** Whether an address is one of the public Internet. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !inner.check(address, 'ipv4');
  return family === 6 && outer.check(address, 'ipv6') && !inner.check(address, 'ipv6');
}

export type Resolved =
  | { readonly kind: 'found'; readonly address: string }
  | { readonly kind: 'private_address' | 'no_such_host' };

/**
 * The address to dial for a name. It is the one that was judged, so that a name which changes between the look and
 * the call leads nowhere. `trusted` hosts may be in the operator's own network.
 */
export async function resolveHost(host: string, trusted: boolean): Promise<Resolved> {
  const found = await lookup(host, { all: true }).catch(() => []);
  if (found.length === 0) return { kind: 'no_such_host' };
  const usable = trusted ? found[0] : found.find(({ address }) => isPublic(address));
  return usable ? { kind: 'found', address: usable.address } : { kind: 'private_address' };
}

import { BlockList, isIP } from "node:net";

/** What an admin may write into the URL of a target must not reach the inside of the network: server-side request forgery. */
export type Address = { readonly address: string; readonly family: 4 | 6 };

// IANA's special-purpose registries: this network, private, shared (CGNAT), loopback, link-local (with the metadata
// address of the clouds), protocol assignments, documentation, 6to4 relays, benchmarking, multicast, reserved.
const V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
// Of IPv6 only 2000::/3 is public, less what carries an IPv4 address inside (Teredo, 6to4) and documentation.
const V6: readonly (readonly [string, number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const inside = new BlockList();
for (const [net, prefix] of V4) inside.addSubnet(net, prefix, "ipv4");
for (const [net, prefix] of V6) inside.addSubnet(net, prefix, "ipv6");
const global6 = new BlockList();
global6.addSubnet("2000::", 3, "ipv6");

export function isPublicAddress({ address, family }: Address): boolean {
  if (family === 4) return !inside.check(address, "ipv4");
  const mapped = mappedV4(address);
  if (mapped !== undefined) return isPublicAddress({ address: mapped, family: 4 });
  return global6.check(address, "ipv6") && !inside.check(address, "ipv6");
}

/** The IPv4 address in ::ffff:0:0/96; undefined for other addresses. */
function mappedV4(address: string): string | undefined {
  // The URL parser writes every spelling of an address in one way.
  const match = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/.exec(new URL(`http://[${address.split("%")[0]}]`).hostname);
  if (!match) return undefined;
  const [high, low] = [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The literal address in a URL's host name, if it is one. */
export function literalAddress(hostname: string): Address | undefined {
  const address = hostname.replace(/^\[|\]$/g, "");
  const family = isIP(address);
  return family === 4 || family === 6 ? { address, family } : undefined;
}

/** Hosts, addresses and networks (CIDR) that may be told although they are not public. */
export function createAllowList(entries: readonly string[]) {
  const hosts = new Set<string>();
  const networks = new BlockList();
  for (const entry of entries) {
    const [net, prefix] = entry.toLowerCase().split("/") as [string, string?];
    const literal = literalAddress(net);
    if (!literal) hosts.add(net);
    else {
      const bits = prefix === undefined ? (literal.family === 4 ? 32 : 128) : Number(prefix);
      networks.addSubnet(literal.address, bits, literal.family === 4 ? "ipv4" : "ipv6");
    }
  }
  return {
    isEmpty: entries.length === 0,
    hasHost: (hostname: string) => hosts.has(hostname.toLowerCase()),
    has({ address, family }: Address): boolean {
      const mapped = family === 6 ? mappedV4(address) : undefined;
      return mapped === undefined
        ? networks.check(address, family === 4 ? "ipv4" : "ipv6")
        : networks.check(mapped, "ipv4");
    },
  };
}

export type AllowList = ReturnType<typeof createAllowList>;

import { lookup } from "node:dns/promises";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
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
function literalAddress(hostname: string): Address | undefined {
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

export type HttpPost = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Sent in place of it: what is no text. */
  readonly bytes?: Uint8Array;
  readonly signal: AbortSignal;
  /** The answer is waited for to its end: the status alone does not say all. */
  readonly readsBody?: boolean;
};
/** `retryAfter`: the header as it came. `body`: its beginning, where it was asked for. */
export type HttpAnswer = { readonly status: number; readonly retryAfter?: string; readonly body?: string };

/** The address may not be asked. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
}

type Resolve = (hostname: string) => Promise<readonly Address[]>;

const resolveName: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));

/**
 * POSTs to public addresses and to those the allow-list names. The name is resolved once, all of its addresses are
 * checked, and the connection goes to a checked one: a name that points elsewhere a moment later (DNS rebinding) gains
 * nothing. Redirects are not followed. Rejects with `AddressRefused`, or as the network failed.
 */
export function createHttpPost({ allow, resolve = resolveName }: { allow: AllowList; resolve?: Resolve }) {
  const agents = { http: new HttpAgent(KEEP), https: new HttpsAgent(KEEP) };

  return async function post({ url, ...request }: HttpPost): Promise<HttpAnswer> {
    const target = new URL(url);
    const { signal } = request;
    const why = refusalOf(target, allow);
    if (why !== undefined) throw new AddressRefused(why);
    const literal = literalAddress(target.hostname);
    const addresses = literal ? [literal] : await abortable(resolve(target.hostname), signal);
    for (const one of addresses) {
      const refused = addressRefusal(target, one, allow);
      if (refused !== undefined) throw new AddressRefused(refused);
    }
    if (addresses.length === 0) throw new Error(`${target.hostname} has no address`);
    return send(target, { ...request, addresses, agents });
  };
}

/** In a burst of alerts the handshakes would take longer than the messages. Kept for the next one, not for the next alert. */
const KEEP = { keepAlive: true, maxFreeSockets: 1, timeout: 2_000 };
const BODY_BYTES_MAX = 64 * 1024;
/** So much of an answer is looked at. */
const BODY_READ_BYTES = 2_048;
const BODY_WITHIN_MS = 200;

type Agents = { readonly http: HttpAgent; readonly https: HttpsAgent };

const NOT_PUBLIC = "the host is not on the public internet; LAMPPOST_NOTIFY_ALLOW can allow it";
const HTTPS_NEEDED = "https:// is needed; LAMPPOST_NOTIFY_ALLOW can allow http:// for a host";

/** What can be said of a URL without asking the network; undefined when nothing speaks against it. */
export function refusalOf(url: URL, allow: AllowList): string | undefined {
  const { protocol, hostname, port } = url;
  if (protocol !== "https:" && protocol !== "http:") return "only https:// and http:// addresses can be told";
  const literal = literalAddress(hostname);
  if (allow.hasHost(hostname) || (literal && allow.has(literal))) return undefined;
  if (literal && !isPublicAddress(literal)) return NOT_PUBLIC;
  // A name may turn out to be in a network that is allowed.
  if (protocol === "http:" && (literal || allow.isEmpty)) return HTTPS_NEEDED;
  // Mail, databases and the like speak other protocols, and some of them would take our lines for commands.
  if (port !== "" && Number(port) < 1_024 && port !== "80" && port !== "443")
    return `port ${port} is not one of a web server`;
  return undefined;
}

function addressRefusal({ protocol, hostname }: URL, address: Address, allow: AllowList): string | undefined {
  if (allow.hasHost(hostname) || allow.has(address)) return undefined;
  if (!isPublicAddress(address)) return NOT_PUBLIC;
  // An alert names places and what is wrong there: in clear text only where an admin has allowed it.
  return protocol === "https:" ? undefined : HTTPS_NEEDED;
}

type Sending = Omit<HttpPost, "url"> & { readonly addresses: readonly Address[]; readonly agents: Agents };

/** A connection that was kept may have been closed by the other side in the same moment: then a new one is made. */
async function send(url: URL, sending: Sending): Promise<HttpAnswer> {
  const first = attempt(url, sending);
  try {
    return await first.answer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!first.request.reusedSocket || (code !== "ECONNRESET" && code !== "EPIPE")) throw error;
    return attempt(url, sending).answer;
  }
}

function attempt(url: URL, { headers, body, bytes, signal, readsBody = false, addresses, agents }: Sending) {
  const isSecure = url.protocol === "https:";
  const { promise: answer, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const request = (isSecure ? httpsRequest : httpRequest)(
    url,
    {
      method: "POST",
      headers: { ...headers, "content-length": bytes?.length ?? Buffer.byteLength(body) },
      agent: isSecure ? agents.https : agents.http,
      // A new connection goes to an address that was checked just now.
      lookup: (_name, options, found) => {
        if (options.all) found(null, [...addresses]);
        else found(null, addresses[0]!.address, addresses[0]!.family);
      },
      signal,
    },
    (response) => {
      const retryAfter = response.headers["retry-after"];
      const status = response.statusCode ?? 0;
      readBody(response, readsBody ? undefined : BODY_WITHIN_MS, (text) =>
        resolve({ status, ...(retryAfter !== undefined && { retryAfter }), ...(readsBody && { body: text }) }),
      );
    },
  );
  request.on("error", reject);
  request.end(bytes ?? body);
  return { request, answer };
}

/** Reads a short body to its end, so that the connection can be used again; cuts off a long one, and one slower than `withinMs`. */
function readBody(response: IncomingMessage, withinMs: number | undefined, done: (text: string) => void): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  const timer = withinMs === undefined ? undefined : setTimeout(() => response.destroy(), withinMs);
  response.on("data", (part: Buffer) => {
    if (bytes < BODY_READ_BYTES) parts.push(part);
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) response.destroy();
  });
  response.on("error", () => {}); // the status has been said
  response.on("close", () => {
    clearTimeout(timer);
    done(Buffer.concat(parts).toString("utf8", 0, BODY_READ_BYTES));
  });
}

export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    if (signal.aborted) fail(signal.reason);
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    work.then(done, fail);
  });
}

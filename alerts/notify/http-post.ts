import { lookup } from "node:dns/promises";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { type Address, type AllowList, isPublicAddress, literalAddress } from "./addresses.ts";

export type HttpPost = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
};
/** `retryAfter`: the header as it came. The body of the answer is not looked at: the status says all we need. */
export type HttpAnswer = { readonly status: number; readonly retryAfter?: string };

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

  return async function post({ url, headers, body, signal }: HttpPost): Promise<HttpAnswer> {
    const target = new URL(url);
    const why = refusalOf(target, allow);
    if (why !== undefined) throw new AddressRefused(why);
    const literal = literalAddress(target.hostname);
    const addresses = literal ? [literal] : await abortable(resolve(target.hostname), signal);
    for (const one of addresses) {
      const refused = addressRefusal(target, one, allow);
      if (refused !== undefined) throw new AddressRefused(refused);
    }
    if (addresses.length === 0) throw new Error(`${target.hostname} has no address`);
    return send(target, { headers, body, signal, addresses, agents });
  };
}

/** In a burst of alerts the handshakes would take longer than the messages. Kept for the next one, not for the next alert. */
const KEEP = { keepAlive: true, maxFreeSockets: 1, timeout: 2_000 };
const BODY_BYTES_MAX = 64 * 1024;
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

function attempt(url: URL, { headers, body, signal, addresses, agents }: Sending) {
  const isSecure = url.protocol === "https:";
  const { promise: answer, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const request = (isSecure ? httpsRequest : httpRequest)(
    url,
    {
      method: "POST",
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
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
      skipBody(response, () => resolve({ status, ...(retryAfter === undefined ? {} : { retryAfter }) }));
    },
  );
  request.on("error", reject);
  request.end(body);
  return { request, answer };
}

/** Reads a short body to its end, so that the connection can be used again; cuts off a long or slow one. */
function skipBody(response: IncomingMessage, done: () => void): void {
  let bytes = 0;
  const timer = setTimeout(() => response.destroy(), BODY_WITHIN_MS);
  response.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) response.destroy();
  });
  response.on("error", () => {}); // the status has been said
  response.on("close", () => {
    clearTimeout(timer);
    done();
  });
}

export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    if (signal.aborted) fail(signal.reason);
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    work.then(done, fail);
  });
}

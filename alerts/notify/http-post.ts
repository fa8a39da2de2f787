import { lookup } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Address, type AllowList, isPublicAddress, literalAddress } from "./addresses.ts";

export type HttpPost = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
};
/** `retryAfter`: the header as it came. The body of the answer is not read: the status says all we need. */
export type HttpAnswer = { readonly status: number; readonly retryAfter?: string };

/** The address may not be asked. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
}

export type Resolve = (hostname: string) => Promise<readonly Address[]>;

const resolveName: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));

/**
 * POSTs to public addresses and to those the allow-list names. The name is resolved once, all of its addresses are
 * checked, and the connection goes to a checked one: a name that points elsewhere a moment later (DNS rebinding) gains
 * nothing. Redirects are not followed. Rejects with `AddressRefused`, or as the network failed.
 */
export function createHttpPost({ allow, resolve = resolveName }: { allow: AllowList; resolve?: Resolve }) {
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
    return send(target, addresses, { headers, body, signal });
  };
}

const NOT_PUBLIC = "the host is not on the public internet; LAMPPOST_NOTIFY_ALLOW can allow it";

/** What can be said of a URL without asking the network; undefined when nothing speaks against it. */
export function refusalOf(url: URL, allow: AllowList): string | undefined {
  const { protocol, hostname, port } = url;
  if (protocol !== "https:" && protocol !== "http:") return "only https:// and http:// addresses can be told";
  const literal = literalAddress(hostname);
  if (allow.hasHost(hostname) || (literal && allow.has(literal))) return undefined;
  if (literal && !isPublicAddress(literal)) return NOT_PUBLIC;
  // Mail, databases and the like speak other protocols, and some of them would take our lines for commands.
  if (port !== "" && Number(port) < 1_024 && port !== "80" && port !== "443")
    return `port ${port} is not one of a web server`;
  return undefined;
}

function addressRefusal({ protocol, hostname }: URL, address: Address, allow: AllowList): string | undefined {
  if (allow.hasHost(hostname) || allow.has(address)) return undefined;
  if (!isPublicAddress(address)) return NOT_PUBLIC;
  // An alert names places and what is wrong there: in clear text only where an admin has allowed it.
  return protocol === "https:" ? undefined : "https:// is needed; LAMPPOST_NOTIFY_ALLOW can allow http:// for a host";
}

function send(url: URL, addresses: readonly Address[], { headers, body, signal }: Omit<HttpPost, "url">) {
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise<HttpAnswer>((done, fail) => {
    const out = request(
      url,
      {
        method: "POST",
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
        // A connection of its own, to an address that was checked just now.
        agent: false,
        lookup: (_name, options, answer) => {
          if (options.all) answer(null, [...addresses]);
          else answer(null, addresses[0]!.address, addresses[0]!.family);
        },
        signal,
      },
      (response) => {
        const retryAfter = response.headers["retry-after"];
        done({ status: response.statusCode ?? 0, ...(retryAfter === undefined ? {} : { retryAfter }) });
        response.destroy();
      },
    );
    out.on("error", fail);
    out.end(body);
  });
}

export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, fail) => {
    if (signal.aborted) fail(signal.reason);
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    work.then(done, fail);
  });
}

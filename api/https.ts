import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { addressMatcher } from "../model/address.ts";
import type { Health } from "../model/health.ts";
import { readProxyHeader } from "../model/proxy-protocol.ts";
import { createTlsListener, type TlsMaterial } from "../model/tls.ts";
import type { Connections } from "./connections.ts";

export type HttpsOptions = {
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  readonly material: TlsMaterial;
  /** Balancers whose connections begin with a PROXY header: they pass TLS on as it is, and have no other way to say whose it is. */
  readonly proxiesTrusted: readonly string[];
};

/** From accepting the socket to the end of the handshake. */
const HANDSHAKE_MS = 10_000;

/**
 * HTTPS beside HTTP: what comes out of TLS is handed to the same server, so that limits, time-outs, routes and the end are
 * the same. A connection in its handshake counts as one that has said nothing. Throws if the port cannot be had.
 */
export async function startHttps(
  http: Server,
  connections: Pick<Connections, "hold">,
  { host, port, material, proxiesTrusted }: HttpsOptions,
) {
  const tls = createTlsListener(material, { ALPNProtocols: ["http/1.1"], handshakeTimeout: HANDSHAKE_MS });
  tls.server.on("secureConnection", (socket) => http.emit("connection", socket));
  const isProxy = addressMatcher(proxiesTrusted);

  const below = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    const shakeHands = (address?: string) => {
      if (connections.hold(socket, address)) tls.server.emit("connection", socket);
    };
    if (!isProxy(socket.remoteAddress ?? "")) return shakeHands();
    const deadline = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    socket.once("close", () => clearTimeout(deadline));
    readProxyHeader(socket, (header) => {
      clearTimeout(deadline);
      if (header) shakeHands(header.address);
      else socket.destroy();
    });
  });
  below.listen({ host, port, backlog: 4_096 });
  await once(below, "listening");
  let trouble: string | undefined;
  // Out of file descriptors, for example: who comes is refused meanwhile, the service goes on.
  below.on("error", ({ message }) => {
    trouble = message;
  });
  below.on("connection", () => {
    trouble = undefined;
  });
  const { port: used } = below.address() as AddressInfo;

  return {
    port: used,
    renew: tls.renew,
    health: (): Health => ({
      part: "HTTPS",
      ready: true,
      ...(trouble === undefined
        ? { state: "ok", reason: `port ${used}` }
        : { state: "degraded", reason: `HTTPS cannot accept a connection: ${trouble}` }),
    }),
    close: () => void below.close(),
  };
}

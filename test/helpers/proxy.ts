import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What the proxy does with a request instead of passing it on and the answer back. */
export type Mischief =
  /** Every answer so much later. */
  | { readonly slowMs: number }
  /** `request`: the connection breaks while the request is passed on. `answer`: done, but the answer never comes. */
  | { readonly cut: "request" | "answer" }
  /** Taken in and never answered. */
  | "freeze"
  /** Answered here; the server never hears of it. */
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

/** `on` is held against method, path, query and the text of an InfluxQL question or the first line. The first that fits counts. */
export type ProxyRule = { readonly on: RegExp; readonly does: Mischief };

export type FaultyProxy = {
  readonly url: string;
  /** In force from the next request on. */
  rules: readonly ProxyRule[];
  /** Of each request what `on` of a rule is held against. */
  readonly seen: string[];
  stop(): Promise<void>;
};

/** A proxy on a free loopback port in front of a real server, for what networks and their boxes do. */
export async function startProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const agent = new Agent({ keepAlive: false });
  const sockets = new Set<Socket>();
  const seen: string[] = [];

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const text = `${incoming.method} ${incoming.url} ${questionIn(incoming, body)}`;
    seen.push(text);
    const does = proxy.rules.find(({ on }) => on.test(text))?.does;
    if (does === "freeze") return;
    if (does !== undefined && typeof does === "object" && "status" in does) {
      response.writeHead(does.status, does.headers);
      response.end(does.body);
      return;
    }
    const cut = does && "cut" in does ? does.cut : undefined;
    const { method, url: path, headers } = incoming;
    const outgoing = request({ hostname, port, agent, method, path, headers });
    outgoing.on("error", () => response.destroy());
    if (cut === "request") {
      // The head and half of the body have arrived when the line goes dead.
      outgoing.write(body.subarray(0, body.length >> 1), () => {
        outgoing.destroy();
        response.destroy();
      });
      return;
    }
    outgoing.on("response", (answer) => {
      if (cut === "answer") {
        answer.resume().on("end", () => response.destroy());
        return;
      }
      const pass = () => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      };
      if (does && "slowMs" in does) setTimeout(pass, does.slowMs);
      else pass();
    });
    outgoing.end(body);
  }

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => response.destroy());
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rules: [],
    seen,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function questionIn({ headers }: IncomingMessage, body: Buffer): string {
  if (headers["content-type"] !== "application/x-www-form-urlencoded") return body.toString("latin1", 0, 200);
  return new URLSearchParams(body.toString()).get("q") ?? "";
}

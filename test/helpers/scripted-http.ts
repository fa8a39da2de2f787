import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type Script = (request: SeenRequest, response: ServerResponse) => void;

/** A server that does what the test says and remembers what it was asked. */
export async function startScriptedHttp(script: Script, port = 0) {
  const requests: SeenRequest[] = [];
  let current = script;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://stand-in");
    const seen: SeenRequest = {
      method: request.method ?? "",
      path: pathname,
      params: searchParams,
      headers: request.headers,
      body: Buffer.concat(parts).toString(),
    };
    requests.push(seen);
    current(seen, response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    requests,
    play(next: Script) {
      current = next;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers with a status, a JSON body or a text, and headers. */
export function answer(status: number, body: unknown = "", headers: Record<string, string> = {}): Script {
  return (_request, response) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const type = typeof body === "string" ? "text/plain" : "application/json";
    response.writeHead(status, { "content-type": type, ...headers });
    response.end(text);
  };
}

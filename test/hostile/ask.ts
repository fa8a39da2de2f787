import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import type { Target } from "./attack.ts";

export type Answer = { readonly status: number; readonly body: string };
export type Question = {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
};

/** One request to the HTTP API after another, from an address of this machine, over connections that stay. */
export function asker({ http }: Pick<Target, "http">, localAddress: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  const { hostname, port } = new URL(http);
  return async ({ path, method = "GET", headers = {}, body }: Question): Promise<Answer> => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const type = payload === undefined ? {} : { "content-type": "application/json" };
    return new Promise((resolve, reject) => {
      const asked = request({ hostname, port, agent, localAddress, method, path, headers: { ...type, ...headers } });
      asked.on("error", reject);
      asked.on("response", (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode!, body: answer }), reject);
      });
      asked.end(payload);
    });
  };
}

/** Calls `guess` from so many hands until `signal` aborts; the statuses of the answers, counted. */
export async function keepGuessing(
  hands: number,
  signal: AbortSignal,
  guess: (i: number) => Promise<Answer>,
): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  let i = 0;
  async function hand(): Promise<void> {
    while (!signal.aborted) {
      i += 1;
      const { status } = await guess(i);
      counts[status] = (counts[status] ?? 0) + 1;
    }
  }
  await Promise.all(Array.from({ length: hands }, hand));
  return counts;
}

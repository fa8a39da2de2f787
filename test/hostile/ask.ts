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

export type Ask = ReturnType<typeof asker>;

/** One request to the HTTP API after another, from an address of this machine, over connections that stay. */
export function asker({ http }: Pick<Target, "http">, localAddress: string, keepAlive = true) {
  const agent = new Agent({ keepAlive, maxSockets: 50 });
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

/** A person with a password of their own, who signs in again and again while others guess. */
export async function aPerson(target: Pick<Target, "user">, name: string, ask: Ask) {
  const { username, password: token } = await target.user(name, "operator");
  const next = "correct horse battery";
  const chosen = await ask({
    method: "PUT",
    path: "/api/v1/session/password",
    headers: { authorization: `Bearer ${token}` },
    body: { current: token, next },
  });
  if (chosen.status !== 204) throw new Error(`no password could be chosen: ${chosen.body}`);

  return {
    /** `guess` from so many hands; from the first answer on the person signs in. Throws when they are kept out. */
    async signInBeside(hands: number, signal: AbortSignal, guess: (i: number) => Promise<Answer>) {
      let signedIn = 0;
      const underWay = Promise.withResolvers<void>();
      const person = async () => {
        await underWay.promise;
        do {
          const { status, body } = await signIn(ask, username, next);
          if (status !== 201) throw new Error(`the person was kept out: ${status} ${body}`);
          signedIn += 1;
        } while (!signal.aborted);
      };
      const guesses = keepGuessing(hands, signal, (i) => guess(i).finally(underWay.resolve));
      void guesses.finally(underWay.resolve); // it may be over before it begins
      const [wrong] = await Promise.all([guesses, person()]);
      if (wrong[201]) throw new Error(`guesses were answered ${JSON.stringify(wrong)}`);
      return { wrong, signedIn };
    },
  };
}

export const signIn = (ask: Ask, user: string, password: string) =>
  ask({ method: "POST", path: "/api/v1/session", body: { user, password } });

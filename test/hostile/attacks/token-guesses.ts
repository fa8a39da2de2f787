import { randomBytes } from "node:crypto";
import { asker, keepGuessing } from "../ask.ts";
import { type Attack, ELSEWHERE } from "../attack.ts";

/** Somebody who guesses tokens, with a right one of their own between, beside somebody else at the same address. */
export const attack: Attack = {
  name: "wrong tokens without end",
  about: "Wrong tokens are told to wait; a right one from the same address always gets through and resets nothing.",
  async run(target, signal) {
    const [mine, neighbour] = [await target.user("mallory", "viewer"), await target.user("nadia", "viewer")];
    const ask = asker(target, ELSEWHERE);
    const path = "/api/v1/districts";
    const as = (token: string) => ask({ path, headers: { authorization: `Bearer ${token}` } });
    const statuses = new Set<number>();
    const right = (async () => {
      while (!signal.aborted) for (const { password } of [mine, neighbour]) statuses.add((await as(password)).status);
    })();
    const wrong = await keepGuessing(20, signal, () => as(randomBytes(32).toString("base64url")));
    await right;
    if (statuses.size !== 1 || !statuses.has(200)) throw new Error(`right tokens were answered ${[...statuses]}`);
    if (!wrong[429] || wrong[200]) throw new Error(`wrong tokens were answered ${JSON.stringify(wrong)}`);
    return `wrong tokens answered ${JSON.stringify(wrong)}`;
  },
};

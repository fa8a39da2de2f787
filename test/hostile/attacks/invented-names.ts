import { asker, keepGuessing } from "../ask.ts";
import { type Attack, ELSEWHERE } from "../attack.ts";

const PASSWORD = "correct horse battery";

/** Somebody who signs in under names that nobody has, to fill the queue in which passwords are looked at. */
export const attack: Attack = {
  name: "sign-ins under invented names",
  about: "A name that nobody has costs no password's time and takes nobody's place, even at the same address.",
  async run(target, signal) {
    const { username, password: token } = await target.user("ines", "operator");
    const ask = asker(target, ELSEWHERE);
    const chosen = await ask({
      ...{ method: "PUT", path: "/api/v1/session/password", headers: { authorization: `Bearer ${token}` } },
      body: { current: token, next: PASSWORD },
    });
    if (chosen.status !== 204) throw new Error(`no password could be chosen: ${chosen.body}`);
    const signIn = (user: string, password: string) =>
      ask({ method: "POST", path: "/api/v1/session", body: { user, password } });
    let signedIn = 0;
    const underWay = Promise.withResolvers<void>();
    const person = (async () => {
      await underWay.promise;
      do {
        const { status, body } = await signIn(username, PASSWORD);
        if (status !== 201) throw new Error(`the person was kept out: ${status} ${body}`);
        signedIn += 1;
      } while (!signal.aborted);
    })();
    const [wrong] = await Promise.all([
      keepGuessing(40, signal, (i) => signIn(`invented-${i}`, "a guess").finally(underWay.resolve)),
      person,
    ]);
    if (!wrong[401] || wrong[201]) throw new Error(`invented names were answered ${JSON.stringify(wrong)}`);
    return `invented names answered ${JSON.stringify(wrong)}, a person at the same address signed in ${signedIn} times`;
  },
};

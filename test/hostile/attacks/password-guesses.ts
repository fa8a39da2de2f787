import { asker, keepGuessing } from "../ask.ts";
import { type Attack, ELSEWHERE } from "../attack.ts";

const PASSWORD = "correct horse battery";

/** Somebody who guesses one person's password as fast as they can, while that person signs in from elsewhere. */
export const attack: Attack = {
  name: "wrong passwords for one person",
  about: "Who guesses a person's password waits; the person signs in from elsewhere, again and again.",
  async run(target, signal) {
    const { username: user, password: token } = await target.user("olga", "operator");
    const at = asker(target, "127.0.0.1");
    const chosen = await at({
      ...{ method: "PUT", path: "/api/v1/session/password", headers: { authorization: `Bearer ${token}` } },
      body: { current: token, next: PASSWORD },
    });
    if (chosen.status !== 204) throw new Error(`no password could be chosen: ${chosen.body}`);
    const signIn = (ask: typeof at, password: string) =>
      ask({ method: "POST", path: "/api/v1/session", body: { user, password } });
    let signedIn = 0;
    const underWay = Promise.withResolvers<void>();
    const person = (async () => {
      await underWay.promise;
      do {
        const { status, body } = await signIn(at, PASSWORD);
        if (status !== 201) throw new Error(`the person was kept out: ${status} ${body}`);
        signedIn += 1;
      } while (!signal.aborted);
    })();
    const elsewhere = asker(target, ELSEWHERE);
    const [wrong] = await Promise.all([
      keepGuessing(20, signal, (i) => signIn(elsewhere, `guess ${i}`).finally(underWay.resolve)),
      person,
    ]);
    if (!wrong[429] || wrong[201]) throw new Error(`wrong passwords were answered ${JSON.stringify(wrong)}`);
    return `wrong passwords answered ${JSON.stringify(wrong)}, the person signed in ${signedIn} times`;
  },
};

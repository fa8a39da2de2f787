import { aPerson, asker, signIn } from "../ask.ts";
import { type Attack, ELSEWHERE } from "../attack.ts";

/** Somebody who guesses one person's password as fast as they can, while that person signs in from elsewhere. */
export const attack: Attack = {
  name: "wrong passwords for one person",
  about: "Who guesses a person's password waits; the person signs in from elsewhere, again and again.",
  async run(target, signal) {
    const olga = await aPerson(target, "olga", asker(target, "127.0.0.1"));
    const elsewhere = asker(target, ELSEWHERE);
    const { wrong, signedIn } = await olga.signInBeside(20, signal, (i) => signIn(elsewhere, "olga", `guess ${i}`));
    if (!wrong[429]) throw new Error(`wrong passwords were answered ${JSON.stringify(wrong)}`);
    return `wrong passwords answered ${JSON.stringify(wrong)}, the person signed in ${signedIn} times`;
  },
};

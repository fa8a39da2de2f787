import { aPerson, asker, signIn } from "../ask.ts";
import { type Attack, ELSEWHERE } from "../attack.ts";

/** Somebody who signs in under names that nobody has, to fill the queue in which passwords are looked at. */
export const attack: Attack = {
  name: "sign-ins under invented names",
  about: "A name that nobody has costs no password's time and takes nobody's place, even at the same address.",
  async run(target, signal) {
    const ask = asker(target, ELSEWHERE);
    const ines = await aPerson(target, "ines", ask);
    const guess = (i: number) => signIn(ask, `invented-${i}`, "a guess");
    const { wrong, signedIn } = await ines.signInBeside(40, signal, guess);
    if (!wrong[401]) throw new Error(`invented names were answered ${JSON.stringify(wrong)}`);
    return `invented names answered ${JSON.stringify(wrong)}, a person at the same address signed in ${signedIn} times`;
  },
};

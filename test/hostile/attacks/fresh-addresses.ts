import { aPerson, asker, signIn } from "../ask.ts";
import { type Attack, ELSEWHERE } from "../attack.ts";

const NAMES = ["olga", "petra", "olga"];
const HANDS = 60;

/** Somebody with a whole network: each guess comes from an address that has never failed. */
export const attack: Attack = {
  name: "wrong passwords from ever fresh addresses",
  about:
    "60 hands guess for 5 people, each time from another address; a person goes first where they have signed in before.",
  async run(target, signal) {
    const ask = asker(target, ELSEWHERE);
    const olga = await aPerson(target, "olga", ask);
    await aPerson(target, "petra", ask);
    // Once from here, before anyone guesses.
    const first = await signIn(ask, "olga", "correct horse battery");
    if (first.status !== 201) throw new Error(`the first sign-in: ${first.status} ${first.body}`);
    const guess = (i: number) =>
      signIn(asker(target, `127.1.${(i >> 8) & 255}.${i & 255}`, false), NAMES[i % NAMES.length]!, "a guess");
    const { wrong, signedIn } = await olga.signInBeside(HANDS, signal, guess);
    if (signedIn < 5) throw new Error(`the person signed in ${signedIn} times only`);
    return `guesses answered ${JSON.stringify(wrong)}, the person signed in ${signedIn} times`;
  },
};

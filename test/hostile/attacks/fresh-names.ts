import { aPerson, asker, signIn } from "../ask.ts";
import { type Attack, ELSEWHERE } from "../attack.ts";

/** Ten guesses at each from each address are free: more than are looked at while this lasts. */
const PEOPLE = 5;
const HANDS = 60;
const ADDRESSES = ["127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6"];

/** Somebody who knows everybody's name and tries each of them only a few times, from several addresses. */
export const attack: Attack = {
  name: "wrong passwords under ever other names",
  about: "60 hands at 4 addresses guess for 5 people in turn; somebody who signs in from elsewhere goes before them.",
  async run(target, signal) {
    const ask = asker(target, ELSEWHERE);
    const olga = await aPerson(target, "olga", ask);
    for (let i = 0; i < PEOPLE; i++) await aPerson(target, `person-${i}`, ask);
    const asks = ADDRESSES.map((address) => asker(target, address));
    const guess = (i: number) => signIn(asks[i % asks.length]!, `person-${(i >> 2) % PEOPLE}`, "a guess");
    const { wrong, signedIn } = await olga.signInBeside(HANDS, signal, guess);
    return `guesses answered ${JSON.stringify(wrong)}, the person signed in ${signedIn} times`;
  },
};

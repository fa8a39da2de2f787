import { expect, it } from "vitest";
import { createPasswords, type Turn } from "../../api/sign-in.ts";

const CHEAP = { N: 2 ** 10, r: 8, p: 1 };
const turn = (from: string, failures = 0, isGone = () => false): Turn => ({
  from,
  name: from,
  isKnown: false,
  failures,
  isGone,
});

/** Asks for all of these turns at once; who was answered, in order, and who was told that too many wait. */
async function queue(turns: readonly Turn[]) {
  const passwords = createPasswords(CHEAP);
  const hash = await passwords.hash("correct horse battery", turn("set-up"));
  const [answered, refused]: string[][] = [[], []];
  await Promise.all(
    turns.map((one) =>
      passwords.verify("correct horse battery", hash, one).then(
        (right) => void answered!.push(right ? one.from : `${one.from} wrong`),
        (error: Error) => void refused!.push(`${one.from} ${error.message}`),
      ),
    ),
  );
  return { answered: answered!, refused: refused! };
}

it("looks at those first who failed least, and at nobody's second before everybody's first", async () => {
  const flood = Array.from({ length: 5 }, () => turn("a"));
  const { answered } = await queue([...flood, turn("guesser", 9), turn("b"), turn("c")]);
  // The first is being looked at before the others come.
  expect(answered).toEqual(["a", "a", "b", "c", "a", "a", "a", "guesser"]);
});

it("has twenty waiting, and refuses those who come last in that order, not those who come last in time", async () => {
  const flood = Array.from({ length: 100 }, () => turn("a"));
  const { answered, refused } = await queue([...flood, turn("b"), turn("c")]);
  expect(answered).toHaveLength(21);
  expect(answered).toEqual(expect.arrayContaining(["b", "c"]));
  expect(new Set(refused)).toEqual(new Set(["a Too many sign-ins at once: try again in a few seconds."]));
  expect(answered.indexOf("c")).toBeLessThan(5);
});

it("lets guesses at one name from many addresses, or at many names from one, not be before another's", async () => {
  const manyNames = Array.from({ length: 40 }, (_, i) => ({ ...turn("a"), name: `name-${i}` }));
  const manyAddresses = Array.from({ length: 40 }, (_, i) => ({ ...turn(`address-${i}`), name: "bob" }));
  const { answered } = await queue([...manyNames, ...manyAddresses, turn("anna")]);
  expect(answered).toHaveLength(21);
  expect(answered.indexOf("anna")).toBeLessThan(4);
});

it("has a person whose address is known before any number of strangers who have not failed yet", async () => {
  const strangers = Array.from({ length: 60 }, (_, i) => turn(`fresh-${i}`));
  const known = (name: string, failures: number): Turn => ({ ...turn(name, failures), isKnown: true });
  const { answered } = await queue([...strangers, known("colleague", 3), known("anna", 0)]);
  expect(answered).toHaveLength(21);
  expect(answered.slice(1, 3)).toEqual(["anna", "colleague"]);
});

it("spends no time for who has left", async () => {
  const { answered, refused } = await queue([turn("a"), turn("gone", 0, () => true), turn("b")]);
  expect([answered, refused]).toEqual([["a", "b"], ["gone Too many sign-ins at once: try again in a few seconds."]]);
});

/** One place of a series: a value, suspect or not, or nothing. */
export type Place = { readonly value: number; readonly suspect: boolean } | undefined;

/** More is not a test any more, and a slip of the finger (`x1000000`) must not fill the memory. */
const PLACES_MAX = 100_000;

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const TOKEN = new RegExp(`^(?:(_)|(${NUMBER})([+-]\\d+(?:\\.\\d+)?)?(\\?)?)(?:x(\\d+))?$`, "i");

/**
 * A series in short notation, one word for each value or run of values:
 *
 * | word     | means                                                    |
 * | `35`     | one value                                                |
 * | `35x4`   | four values of 35                                        |
 * | `20+2x6` | six values, each 2 more: 20 22 24 26 28 30 (`20-2x6` down) |
 * | `_` `_x3`| one missing value, three                                 |
 * | `35?`    | a suspect value; also `35?x4`                            |
 *
 * Unlike in promtool's notation, the number after `x` is how many values there are. Answers what is wrong as text.
 */
export function parseSeries(text: string): readonly Place[] | string {
  const places: Place[] = [];
  for (const word of text.trim().split(/\s+/)) {
    const match = TOKEN.exec(word);
    if (!match) return `"${word}" is no value: write 35, 35x4, 20+2x6, _ (missing) or 35? (suspect)`;
    const [, missing, number, step = "0", mark, times = "1"] = match;
    if (step !== "0" && match[5] === undefined) return `"${word}": say how many values, such as ${word}x6`;
    const count = Number(times);
    if (count < 1 || places.length + count > PLACES_MAX) return `"${word}": 1 to ${PLACES_MAX} values in a series`;
    const [first, each] = [Number(number), Number(step)];
    for (let i = 0; i < count; i++) {
      places.push(missing ? undefined : { value: exact(first + i * each), suspect: mark !== undefined });
    }
  }
  return places;
}

/** 20.1 + 2 x 0.1 is meant to be 20.3. */
const exact = (value: number) => Number(value.toPrecision(12));

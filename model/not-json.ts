/** What printf, Python's json.dumps and JavaScript write for a number that is none; JSON has no such words. */
const WORD = /[-+]?(?:nan(?:\([a-z0-9]{0,8}\))?|inf(?:inity)?|1\.#[a-z]{1,4}0{0,8}|undefined|none)(?=[\s,}\]]|$)/iy;
const [QUOTE, BACKSLASH, BLANK] = [0x22, 0x5c, 0x20];
/** A value stands after one of these. */
const [COLON, COMMA, BRACKET] = [0x3a, 0x2c, 0x5b];

/**
 * Why a text that the JSON parser refused is no JSON, where it is a bare NaN or the like in the place of a value: the
 * first one. In one pass: the text is anybody's.
 */
export function explainBareWord(text: string): string | undefined {
  let before = COLON;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= BLANK) continue;
    if (code === QUOTE) {
      at = endOfText(text, at);
    } else if (before === COLON || before === COMMA || before === BRACKET) {
      WORD.lastIndex = at;
      const word = WORD.exec(text)?.[0];
      if (word !== undefined) return `${word} at character ${at} is not JSON: send null.`;
    }
    before = code;
  }
  return undefined;
}

/** Where the quotation mark is that ends what begins at `from`. */
function endOfText(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

import { type Fault, fault } from "../model/rejection.ts";

/** Names the word, not the key: a key may hold the very plate. */
export function personalData(word: string): Fault {
  return fault("personal_data", `A key contains "${word}": personal data is not taken, the payload was not kept.`);
}

/**
 * Data minimisation: a key that looks like a number plate, a radio address, a subscriber or a picture of someone. Keys
 * are cut into words first (`wifi_mac`, `numberPlate`, `faceId`), so that `surface`, `template` or `photovoltaic` do
 * not match. Only keys that are not metrics come here.
 */
const WORDS =
  "plates?|(?:number|licen[cs]e)plates?|licen[cs]es?|macs?|macaddr(?:ess)?|bssid|ssid|imei|imsi|iccid|msisdn|" +
  "(?:tele)?phones?|emails?|images?|img|faces?|faceid|photos?|photographs?|pictures?";
/** Small words that are joined to them without a sign (`devmac`, `platenumber`); not `name`, `face`, `base`, `front`: parts of machines are plates, too. */
const BEFORE =
  "my|the|dev|devices?|wifi|wlan|bt|ble|lan|eth|sta|ap|client|station|peer|gw|gateway|node|src|dst|source|dest|raw|last|" +
  "car|vehicle|veh|truck|lorry|taxi|bike|driver|owner|user|person|contact|customer|registration|reg|num|" +
  "cell|mobile|smart|work|home";
const AFTER =
  "numbers?|no|nos|nr|num|ids?|te?xt|str|string|code|hash|url|uri|link|addr|address|addresses|data|jpe?g|png";
const PERSONAL = new RegExp(`^(?:${BEFORE})?(${WORDS})(?:${AFTER})?$`);
/** The longest that the pattern takes are shorter. */
const WORD_CHARS_MAX = 40;
/** If none of these is anywhere in a plain text, no key of it can match: one scan instead of one test per key. */
const ROOTS = /plate|licen[cs]e|mac|ssid|ime?i|imsi|iccid|msisdn|phone|mail|image|img|face|photo|picture/;
const WORD_BREAK = /(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z]+/;
const NOT_ASCII = /[^\0-\x7f]/;
/** What may have a plain form: combining marks are none of it. */
const MAYBE_LETTER = /[^\0-\x7f\p{M}]/gu;

/** The word that makes a key look personal, or undefined. Full-width letters count as their plain form. */
export function personalWord(key: string): string | undefined {
  const plain = plainLetters(key);
  if (!ROOTS.test(plain.toLowerCase())) return undefined;
  let before = "";
  for (const word of plain.split(WORD_BREAK)) {
    const lower = word.toLowerCase();
    if (before === "e" && /^mails?$/.test(lower)) return "email";
    const found = lower.length > WORD_CHARS_MAX ? undefined : PERSONAL.exec(lower)?.[1];
    if (found) return found;
    before = lower;
  }
  // All small or all capital letters joined by nothing, such as LICENCEPLATE or myimei2.
  return /(licen[cs]e|number)plate|imei|imsi|bssid|macaddr/.exec(plain.toLowerCase())?.[0];
}

const KEYS_KNOWN_MAX = 4_096;
const KEY_CHARS_MAX = 40;
/** Devices send the same fields again and again: those found harmless are not cut into words each time. */
const harmlessKeys = new Set<string>();

/** The same, for the fields of readings. */
export function personalKey(key: string): string | undefined {
  if (harmlessKeys.has(key)) return undefined;
  const word = personalWord(key);
  if (word === undefined && key.length <= KEY_CHARS_MAX) {
    if (harmlessKeys.size >= KEYS_KNOWN_MAX) harmlessKeys.clear();
    harmlessKeys.add(key);
  }
  return word;
}

/** Looks through a parsed value at any depth; walks with a stack of its own, because the depth is the sender's choice. */
export function findPersonalWord(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next)) {
      for (const item of next) waiting.push(item);
      continue;
    }
    for (const key of Object.keys(next)) {
      const word = personalWord(key);
      if (word) return word;
      waiting.push((next as Record<string, unknown>)[key]);
    }
  }
  return undefined;
}

/**
 * The same question for a text that may not be JSON at all: whatever stands before a colon is taken for a key. Errs on
 * the side of yes, because the answer decides whether the payload may be kept.
 */
export function findPersonalWordInText(text: string): string | undefined {
  if (!text.includes("\\") && !NOT_ASCII.test(text) && !ROOTS.test(text.toLowerCase())) return undefined;
  const seen = new Set<string>();
  let start = 0;
  for (let colon = text.indexOf(":"); colon !== -1; colon = text.indexOf(":", start)) {
    const before = text.slice(start, colon).trimEnd();
    const key = before.slice(Math.max(before.lastIndexOf(","), before.lastIndexOf("{")) + 1);
    start = colon + 1;
    if (seen.has(key)) continue;
    seen.add(key);
    const word = personalWord(unescaped(key));
    if (word) return word;
  }
  return undefined;
}

/**
 * Compatibility forms become plain letters, one character at a time: normalising a whole text sorts its combining marks,
 * and a long run of them takes time with the square of its length.
 */
function plainLetters(text: string): string {
  return NOT_ASCII.test(text) ? text.replace(MAYBE_LETTER, (character) => character.normalize("NFKC")) : text;
}

/** `pl\u0061te` is `plate` to a JSON parser, so it is to us. */
function unescaped(key: string): string {
  if (!key.includes("\\")) return key;
  return key.replace(/\\u([0-9a-fA-F]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRetryAfter } from "../../alerts/channels/registry.ts";
import { checkRules } from "../../alerts/rules/check.ts";
import { csvLine } from "../../api/csv.ts";
import { pointerOf } from "../../api/validation.ts";
import { isCleanText } from "../../broker/access.ts";
import { checkReading, explainUnknownKey } from "../../ingest/check-reading.ts";
import { decodeMessage } from "../../ingest/decode.ts";
import { findPersonalWord, findPersonalWordInText, personalWord } from "../../ingest/personal-data.ts";
import { readMeasuredAt } from "../../ingest/reading-time.ts";
import { countElements, splitElements } from "../../model/message.ts";
import { isFilter } from "../../model/topic-filter.ts";
import { parseSensorTopic } from "../../model/topics.ts";
import { startService } from "../api/service.ts";
import { allOf } from "../helpers/in-full.ts";
import { aMessage, CITY } from "../ingest/helpers.ts";

/**
 * Nothing from outside takes more than linear time: every door below is given texts of each family, short and four times
 * as long. What is linear takes four times as long then, what is quadratic sixteen times; the limit is between the two.
 * Each time is the processor's, the best of several, a pair that fails is measured again, and below the floor nobody cares.
 */
const GROWTH = 4;
const RATIO_MAX = 9;
const FLOOR_MS = 25;
const REPEATS = 3;
const TRIES = 4;

const run = (unit: string) => (n: number) => unit.repeat(Math.max(1, Math.floor(n / unit.length)));
/** Hostile texts of about n characters. */
const TEXTS: Readonly<Record<string, (n: number) => string>> = {
  "marks out of order": run("\u0301\u0316"),
  "a letter and marks": (n) => `p${run("\u0301\u0316\u0334")(n)}late`,
  "full-width letters": run("ｐ"),
  "long compatibility forms": run("\ufdfa"),
  "voiced marks": run("\uff9e\u3099"),
  "jamo and marks": run("\u1100\u1161\u11a8\u0316"),
  "one letter": run("a"),
  "case by case": run("aA"),
  digits: run("9"),
  zeros: run("0"),
  spaces: run(" "),
  tabs: run("\t "),
  slashes: run("/"),
  wildcards: run("+/"),
  hyphens: run("-"),
  dots: run("."),
  colons: run(":"),
  commas: run(","),
  "key after key": run("a:,"),
  quotes: run('"'),
  backslashes: run("\\"),
  escapes: run("\\u0070"),
  "half escapes": run("\\u00"),
  brackets: run("["),
  braces: run('{"a":'),
  "lone surrogates": run("\ud800"),
  "surrogate pairs": run("😀"),
  tildes: run("~"),
  percents: run("%41"),
  "plate after plate": run("plat"),
  "a date and digits": (n) => `2026-11-21T10:00:00.${run("1")(n)}`,
};

/** JSON of about n characters. */
const DOCUMENTS: Readonly<Record<string, (n: number) => string>> = {
  "deep arrays": (n) => "[".repeat(n / 2) + "]".repeat(n / 2),
  "deep objects": (n) => `${'{"a":'.repeat(n / 6)}1${"}".repeat(n / 6)}`,
  "many keys": (n) => `{${Array.from({ length: n / 10 }, (_, i) => `"k${i}":1`).join()}}`,
  "one key again and again": (n) => `{${Array.from({ length: n / 9 }, () => '"pm25":1').join()}}`,
  "many numbers as keys": (n) => `{${Array.from({ length: n / 12 }, (_, i) => `"${i * 7919}":1`).join()}}`,
  "a long number": (n) => `{"pm25":${"9".repeat(n)}}`,
  "a long fraction": (n) => `{"pm25":0.${"1".repeat(n)}}`,
  "a long exponent": (n) => `{"pm25":1e${"9".repeat(n)}}`,
  "many elements": (n) => `[${Array.from({ length: n / 2 }, () => "1").join()}]`,
  "bad elements": (n) =>
    `[${Array.from({ length: Math.min(500, n / 40) }, (_, i) => `{"temperaturx${i}":1,"measuredAt":"x"}`).join()}]`,
  ...Object.fromEntries(
    Object.entries(TEXTS).flatMap(([name, text]) => [
      [`a key of ${name}`, (n: number) => JSON.stringify({ [text(n)]: 1 })],
      [`a value of ${name}`, (n: number) => JSON.stringify({ pm25: text(n) })],
      [`a time of ${name}`, (n: number) => JSON.stringify({ pm25: 1, measuredAt: text(n) })],
    ]),
  ),
};

type Door = { readonly charsMax: number; use(text: string): unknown };
const AT = { district: "north", kind: "air", sensorId: "air-1", imported: false } as const;
const bytes = (text: string) => new TextEncoder().encode(text);

/** Everything that looks at text before it has refused it, with the longest that reaches it. */
const TEXT_DOORS: Readonly<Record<string, Door>> = {
  "a payload that is no JSON": { charsMax: 64_000, use: (text) => decodeMessage(aMessage(bytes(text)), CITY) },
  "a topic": { charsMax: 64_000, use: (text) => parseSensorTopic(text) },
  "a topic below city/": { charsMax: 64_000, use: (text) => parseSensorTopic(`city/north/air/${text}`) },
  "a topic filter": { charsMax: 64_000, use: (text) => isFilter(text) && isCleanText(text) },
  "a key, for people": { charsMax: 256_000, use: (text) => explainUnknownKey(text, "air") },
  "a key, for privacy": { charsMax: 256_000, use: personalWord },
  "a raw text, for privacy": { charsMax: 256_000, use: findPersonalWordInText },
  "a time": { charsMax: 256_000, use: (text) => readMeasuredAt(text, 0, false) },
  "a cell of a table": { charsMax: 256_000, use: (text) => csvLine([text]) },
  "a wait that a server asks for": { charsMax: 16_000, use: (text) => parseRetryAfter(text, 0) },
  "a place in a body": { charsMax: 256_000, use: (text) => pointerOf([text]) },
};
const DOCUMENT_DOORS: Readonly<Record<string, Door>> = {
  "an MQTT payload": { charsMax: 64_000, use: (text) => decodeMessage(aMessage(bytes(text)), CITY) },
  "the elements of a payload": { charsMax: 64_000, use: (text) => splitElements(bytes(text)) },
  "how many elements": { charsMax: 64_000, use: (text) => countElements(bytes(text), Number.POSITIVE_INFINITY) },
  "a reading, for privacy": { charsMax: 240_000, use: (text) => findPersonalWord(JSON.parse(text)) },
  "a reading that was posted": { charsMax: 240_000, use: (text) => checkReading(AT, JSON.parse(text), 0) },
};

const each = (unit: (i: number) => string) => (n: number) =>
  Array.from({ length: n / unit(0).length }, (_, i) => unit(i)).join("");
/** YAML of about n characters. */
const RULES_FILES: Readonly<Record<string, (n: number) => string>> = {
  "empty rules": (n) => `rules:\n${run("- {}\n")(n)}`,
  "merge keys": (n) => `rules:\n${run("- <<: {}\n")(n)}`,
  "an alias for each anchor": (n) => `rules:\n${each((i) => `- &a${i} x\n- *a${i}\n`)(n)}`,
  "keys of one map": (n) => `rules: []\n${each((i) => `k${i}:\n`)(n)}`,
  "rules with mistakes": (n) => `rules: [${each((i) => `{ id: r${i}, severity: loud },`)(n)}]`,
  "brackets the wrong way round": run("}{"),
};
const RULES_DOOR: Door = { charsMax: 60_000, use: (text) => checkRules([{ file: "rules.yaml", text }]) };

async function bestMs(use: (text: string) => unknown, text: string): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS; i += 1) {
    const before = process.threadCpuUsage();
    await use(text);
    const { user, system } = process.threadCpuUsage(before);
    best = Math.min(best, (user + system) / 1_000);
    if (best < FLOOR_MS) return best;
  }
  return best;
}

let doorsJudged = 0;

/** A sentence if it is worse than linear. */
async function judge(what: string, { charsMax, use }: Door, family: (n: number) => string): Promise<string[]> {
  const [short, long] = [family(charsMax / GROWTH), family(charsMax)];
  let words = "";
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const longMs = await bestMs(use, long);
    if (longMs < FLOOR_MS) return [];
    const shortMs = await bestMs(use, short);
    if (longMs / shortMs <= RATIO_MAX) return [];
    words = `${what}: ${charsMax / GROWTH} characters ${shortMs.toFixed(1)} ms, ${charsMax} ${longMs.toFixed(1)} ms`;
  }
  return [words];
}

async function judgeAll(doors: Readonly<Record<string, Door>>, families: typeof TEXTS): Promise<string[]> {
  const found: string[] = [];
  for (const [door, how] of Object.entries(doors)) {
    doorsJudged += 1;
    for (const [family, text] of allOf(Object.entries(families), doorsJudged)) {
      found.push(...(await judge(`${door}, ${family}`, how, text)));
    }
  }
  return found;
}

describe("the time a text from outside takes", () => {
  it("is measured well enough: what is quadratic is found, what is linear is not (the control)", async () => {
    const quadratic: Door = { charsMax: 12_000, use: (text) => text.normalize("NFKC") };
    const linear: Door = { charsMax: 16_000_000, use: (text) => text.replaceAll("b", "c") };
    // On a busy machine one pair of times may look linear by chance: a door that is not is found by the next.
    const found: string[] = [];
    for (let round = 0; round < 8 && found.length === 0; round += 1)
      found.push(...(await judge("quadratic", quadratic, TEXTS["marks out of order"]!)));
    expect(found).toHaveLength(1);
    expect(await judge("linear", linear, TEXTS["one letter"]!)).toEqual([]);
  });

  it.each(Object.keys(TEXT_DOORS))("is linear at most: %s", async (door) => {
    expect(await judgeAll({ [door]: TEXT_DOORS[door]! }, TEXTS)).toEqual([]);
  });

  it.each(Object.keys(DOCUMENT_DOORS))("is linear at most: %s", async (door) => {
    expect(await judgeAll({ [door]: DOCUMENT_DOORS[door]! }, DOCUMENTS)).toEqual([]);
  });

  it.each(Object.keys(RULES_FILES))("is linear at most: a rules file of %j", async (family) => {
    expect(await judge("a rules file", RULES_DOOR, RULES_FILES[family]!)).toEqual([]);
  });

  it("normalises one character at a time, whatever comes", () => {
    const normalize = String.prototype.normalize;
    let longest = 0;
    String.prototype.normalize = function (this: string, form?: string) {
      longest = Math.max(longest, this.length);
      return normalize.call(this, form);
    };
    try {
      for (const text of Object.values(TEXTS)) {
        for (const { use } of Object.values(TEXT_DOORS)) use(text(2_000));
      }
      for (const text of Object.values(DOCUMENTS)) {
        for (const { use } of Object.values(DOCUMENT_DOORS)) use(text(2_000));
      }
    } finally {
      String.prototype.normalize = normalize;
    }
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThanOrEqual(2);
  });
});

describe("the time a request takes", () => {
  let service: ReturnType<typeof startService>;
  beforeAll(() => {
    service = startService();
  });
  afterAll(() => service.close());

  const headers = { authorization: "Bearer gw-north-token", "content-type": "application/json" };
  const post = (value: Record<string, unknown>) => {
    const place = { sensorId: "air-1", kind: "air", district: "north" };
    const payload = JSON.stringify({ ...place, ...value });
    return service.app.inject({ method: "POST", url: "/api/v1/readings", headers, payload });
  };
  const get = (url: string, more: Record<string, string> = {}) =>
    service.app.inject({ method: "GET", url, headers: { authorization: "Bearer viewer-token", ...more } });
  const inUrl = (text: string) => encodeURIComponent(text.toWellFormed());
  const inHeader = (text: string) => text.replace(/[^\x20-\x7e]/g, "?");

  const doors: Readonly<Record<string, Door>> = {
    "a key of a posted reading": { charsMax: 120_000, use: (text) => post({ [text]: 1 }) },
    "a time of a posted reading": { charsMax: 120_000, use: (text) => post({ measuredAt: text }) },
    "a range": { charsMax: 8_000, use: (text) => get(`/api/v1/sensors/air-1/readings?from=${inUrl(text)}`) },
    "a list of metrics": {
      charsMax: 8_000,
      use: (text) => get(`/api/v1/sensors/air-1/readings?metrics=${inUrl(text)}`),
    },
    "a cursor": { charsMax: 8_000, use: (text) => get(`/api/v1/sensors?cursor=${inUrl(text)}`) },
    "a filter of alerts": { charsMax: 8_000, use: (text) => get(`/api/v1/alerts?severity=${inUrl(text)}`) },
    "an id in a path": { charsMax: 8_000, use: (text) => get(`/api/v1/sensors/${inUrl(text)}`) },
    "a path nobody knows": { charsMax: 8_000, use: (text) => get(`/${inUrl(text)}`) },
    "a token": {
      charsMax: 8_000,
      use: (text) => get("/api/v1/sensors", { authorization: `Bearer ${inHeader(text)}` }),
    },
    "a cookie": {
      charsMax: 8_000,
      use: (text) => get("/api/v1/sensors", { authorization: "", cookie: inHeader(text) }),
    },
    "a host": { charsMax: 8_000, use: (text) => get("/livez", { host: inHeader(text) }) },
    "an event id": { charsMax: 8_000, use: (text) => get("/api/v1/events", { "last-event-id": inHeader(text) }) },
    "a request id": { charsMax: 8_000, use: (text) => get("/livez", { "x-request-id": inHeader(text) }) },
  };

  it.each(Object.keys(doors))("is linear at most: %s", async (door) => {
    expect(await judgeAll({ [door]: doors[door]! }, TEXTS)).toEqual([]);
  });
});

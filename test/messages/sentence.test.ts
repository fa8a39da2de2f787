import { describe, expect, it } from "vitest";
import type { Reader } from "../../messages/format.ts";
import { recordText, render } from "../../messages/messages.ts";
import { type Correction, sayChange } from "../../model/correction.ts";
import { flawOf, LANGUAGES, type Language, type Sentence, say, withSentences } from "../../model/sentence.ts";

const AT = Date.parse("2026-11-21T13:24:00Z");
const at14 = (locale: Reader["locale"], now = AT + 3_600_000): Reader => ({ locale, zone: "Europe/Vienna", now });

const overload = say("threshold", {
  metric: "current",
  where: "Feeder 3",
  value: { value: 705, of: "current" },
  at: AT,
  side: "above",
  limit: { value: 640, of: "current", share: 1.2, tag: "ratedCurrent" },
  since: AT - 30 * 60_000,
});

describe("a sentence", () => {
  it("is said in the reader's language and zone", () => {
    expect(LANGUAGES.map((locale) => render(overload, at14(locale)))).toEqual([
      "Current at Feeder 3 was 705 A at 14:24, above 640 A (120 % of its rated current) since 13:54.",
      "Stromstärke, Feeder 3: 705 A um 14:24 Uhr, seit 13:54 Uhr über der Grenze von 640 A (120 % des Bemessungsstroms).",
      "Corriente en Feeder 3: 705 A a las 14:24, por encima del límite de 640 A (120 % de la corriente nominal) desde las 13:54.",
    ]);
  });

  it("names the day where it is another than the reader's, and the year where that is", () => {
    const say = (now: string) => LANGUAGES.map((locale) => render(overload, at14(locale, Date.parse(now)))!);
    for (const text of say("2026-11-22T09:00:00Z")) expect(text).toMatch(/21\.? nov/i);
    for (const text of say("2026-11-22T09:00:00Z")) expect(text).not.toContain("2026");
    for (const text of say("2027-01-02T09:00:00Z")) expect(text).toContain("2026");
  });

  it("tells autumn's two hours apart", () => {
    const heard = (time: string) =>
      render(say("silence.heard", { at: Date.parse(time) }), at14("en", Date.parse(time)));
    expect(heard("2026-10-25T00:30:00Z")).toBe("A reading came again at 02:30 (UTC+2).");
    expect(heard("2026-10-25T01:30:00Z")).toBe("A reading came again at 02:30 (UTC+1).");
    expect(heard("2026-10-25T02:30:00Z")).toBe("A reading came again at 03:30.");
  });

  it("is a record without a reader: English, with times in full", () => {
    expect(recordText([overload], "Asia/Kolkata")).toBe(
      "Current at Feeder 3 was 705 A at 2026-11-21 18:54 UTC+5:30, above 640 A (120 % of its rated current) since 2026-11-21 18:24 UTC+5:30.",
    );
  });

  it("is not said without a parameter, with one of another kind, or under a name that nobody knows", () => {
    const { value: _, ...without } = overload.params;
    const wrong: readonly [Sentence, string][] = [
      [{ key: "threshold", params: without }, '"threshold" has no value'],
      [{ key: "threshold", params: { ...overload.params, at: "14:24" } }, 'at of "threshold" is no time'],
      [{ key: "threshold", params: { ...overload.params, side: "beside" } }, 'side of "threshold" is no above,below'],
      [{ key: "nothing", params: {} }, 'there is no sentence "nothing"'],
      [{ key: "constructor", params: {} }, 'there is no sentence "constructor"'],
      [{ key: "text", params: { text: "x".repeat(501) } }, 'text of "text" is no text'],
    ];
    for (const [sentence, flaw] of wrong) {
      expect(flawOf(sentence)).toBe(flaw);
      expect(render(sentence, at14("de"))).toBeUndefined();
    }
    // @ts-expect-error a sentence without a parameter does not compile
    say("threshold.notHeld", { at: AT, held: 1 });
    // @ts-expect-error nor does one with a parameter of another kind
    say("silence.heard", { at: "14:24" });
  });

  it("is not nested without end", () => {
    let nested = say("text", { text: "x" });
    for (let i = 0; i < 10; i++) nested = say("deed.rule", { title: nested });
    expect(flawOf(nested)).toBeDefined();
  });

  it("keeps the first and the newest of what was said of an alert", () => {
    const text = (i: number) => say("text", { text: `${i}` });
    const long = Array.from({ length: 21 }, (_, i) => text(i)).reduce<readonly Sentence[]>(
      (all, one) => withSentences(all, one),
      [],
    );
    expect(long.map(({ params }) => params.text)).toEqual(["0", "16", "17", "18", "19", "20"]);
  });
});

describe("what people corrected, in each language", () => {
  const correction: Correction = {
    id: 3,
    sensorId: "air-1",
    from: Date.parse("2026-11-20T08:00:00Z"),
    to: Date.parse("2026-11-21T08:00:00Z"),
    metrics: ["temperature", "no2"],
    what: "factor",
    factor: 0.55556,
    offset: -17.7778,
    reason: "degrees Fahrenheit",
    by: "anna",
    at: 0,
  };
  const told = (one: Correction, locale: Language) =>
    render(sayChange(one), { locale, zone: "Europe/Vienna", now: Date.parse("2026-11-21T10:00:00Z") });

  it.each([
    [
      "en",
      "Correction 3: air temperature and nitrogen dioxide × 0.55556 - 17.7778, 20 Nov, 09:00 to 09:00: degrees Fahrenheit",
    ],
    [
      "de",
      "Korrektur 3: Lufttemperatur und Stickstoffdioxid × 0,55556 - 17,7778, 20. Nov., 09:00 Uhr bis 09:00 Uhr: degrees Fahrenheit",
    ],
    [
      "es",
      "Corrección 3: temperatura del aire y dióxido de nitrógeno × 0,55556 - 17,7778, 20 nov, 09:00 a 09:00: degrees Fahrenheit",
    ],
  ] as const)("%s", (locale, text) => expect(told(correction, locale)).toBe(text));

  it("of all values, moved in time, and taken back", () => {
    const { metrics: _, ...all } = correction;
    expect(told({ ...all, what: "invalid" }, "de")).toContain("alle Werte ungültig");
    expect(told({ ...all, what: "value", value: 5 }, "es")).toContain("todos los valores = 5");
    expect(told({ ...all, what: "shift", shiftS: -3_600 }, "en")).toContain("time 1 h earlier");
    expect(told({ ...all, revokedAt: 1, revokeReason: "it was right" }, "de")).toBe(
      "Korrektur 3 wurde widerrufen: it was right",
    );
  });
});

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROBLEMS } from "../../api/problems.ts";
import { problems as de } from "../../messages/de/problems.ts";
import { problems as es } from "../../messages/es/problems.ts";
import { languageFor, problemIn } from "../../messages/problems.ts";

const ROOT = join(import.meta.dirname, "../..");
const placesIn = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
/** Texts that begin with the word in which a placeholder stands are as likely at the end of a sentence of ours. */
const sourceOf = (folder: string) =>
  globSync(`${folder}/**/*.ts`, { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), "utf8"));

describe("the language of an Accept-Language", () => {
  it.each([
    [undefined, "en"],
    ["", "en"],
    ["de", "de"],
    ["DE-at", "de"],
    ["es-419,es;q=0.9", "es"],
    ["fr, es;q=0.5, de;q=0.7", "de"],
    ["fr", "en"],
    ["*", "en"],
    ["de;q=0", "en"],
    ["en;q=0, *;q=0.5", "de"],
    ["en;q=0, de;q=0, es;q=0, *", "en"],
    ["*;q=0, es", "es"],
    ["de;q=2, es", "es"],
    ["de;q=abc", "en"],
    [";;;,,,q=,", "en"],
    ["de ; Q = 1.000", "de"],
    ["__proto__", "en"],
    [`${"x".repeat(100_000)},de`, "en"],
    [`${"fr,".repeat(50_000)}de`, "en"],
  ])("%.40s is %s", (header, language) => {
    expect(languageFor(header)).toBe(language);
  });
});

describe("the text of a problem", () => {
  it("keeps what varies, and says words and texts within it in the language", () => {
    expect(problemIn("de", 'There is no sensor "air-1".')).toBe("Sensor „air-1“ gibt es nicht.");
    expect(problemIn("es", 'There is no rule "no2"; did you mean "eu-no2" or "no"?')).toBe(
      'No existe: regla «no2»; ¿quería decir "eu-no2" or "no"?',
    );
    expect(problemIn("de", "temperature is 215; possible is -50 to 60 °C; it looks like tenths of a degree.")).toBe(
      "temperature ist 215; möglich ist -50 bis 60 °C; das sieht nach Zehntelgrad aus.",
    );
  });

  it("stays in English where nobody has translated it, or it is longer than any of ours", () => {
    for (const text of ["Something else.", "", "toString", `There is no sensor "${"x".repeat(2_000)}".`])
      expect(problemIn("de", text)).toBe(text);
    expect(problemIn("en", 'There is no sensor "a".')).toBe('There is no sensor "a".');
  });

  it("what somebody sent is no instruction: braces, signs of replacements, texts of ours", () => {
    for (const id of ["{id}", "$&$1", 'a". There is no rule "b', "sensor"])
      expect(problemIn("de", `There is no sensor "${id}".`)).toBe(`Sensor „${id}“ gibt es nicht.`);
  });

  it("is the same work however it is filled", () => {
    const filled = `There is no ${'"'.repeat(900)}`;
    const begun = process.cpuUsage().user;
    for (let i = 0; i < 200; i++) problemIn("de", filled);
    expect(process.cpuUsage().user - begun).toBeLessThan(2_000_000);
  });
});

describe.each([
  ["de", de],
  ["es", es],
] as const)("the texts of problems in %s", (language, texts) => {
  it("have every place of the English ones and no other", () => {
    for (const [text, into] of Object.entries(texts)) expect(placesIn(into), text).toEqual(placesIn(text));
  });

  it("have every title", () => {
    for (const [, title] of Object.values(PROBLEMS)) expect(problemIn(language, title)).not.toBe(title);
  });

  it("have what the routes say, but for a few that are new", () => {
    const said = sourceOf("api").flatMap((source) => [
      ...source.matchAll(
        /(?:invalid\(\s*[^,]{1,60},|new ProblemError\(\s*"[a-z-]+",)\s*("(?:[^"\\\n]|\\.)+"|`[^`]+`)/g,
      ),
    ]);
    expect(said.length).toBeGreaterThan(100);
    const texts = said.map(([, literal]) => literal!.slice(1, -1).replaceAll(/\$\{[^}]*\}+/g, "x1"));
    // Those that are put together have their parts in the list.
    const whole = texts.filter((text) => !/^(?:x1)+\.?(?: Try again later\.)?$/.test(text));
    const missing = whole.filter((text) => problemIn(language, text) === text);
    // What is new is English until somebody translates it.
    expect(missing.length / whole.length, missing.join("\n")).toBeLessThan(0.12);
  });
});

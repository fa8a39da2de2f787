import { expect, it } from "vitest";
import { de } from "../../dashboard/messages/de.ts";
import { en } from "../../dashboard/messages/en.ts";
import { es } from "../../dashboard/messages/es.ts";

/** Words that are the same in two languages, and names. */
const SAME = /^(pages|shell\.languages)|\.(token|kind)$|helpKeys/;

/** Every sentence by its path; those that are made from something, as they are written. */
function sentences(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string" || typeof value === "function") return [[path, String(value)]];
  return Object.entries(value as object).flatMap(([key, inner]) => sentences(inner, path ? `${path}.${key}` : key));
}

it.each([
  ["German", de],
  ["Spanish", es],
])("%s says everything that English says, in its own words", (_name, messages) => {
  const [own, english] = [new Map(sentences(messages)), new Map(sentences(en))];
  expect([...own.keys()].sort()).toEqual([...english.keys()].sort());
  expect([...own].filter(([, text]) => text.trim() === "")).toEqual([]);
  const copied = [...own].filter(([path, text]) => text === english.get(path) && text.length > 12 && !SAME.test(path));
  expect(copied).toEqual([]);
});

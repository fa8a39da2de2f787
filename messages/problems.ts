import { LANGUAGES, type Language } from "../model/sentence.ts";
import { health as deHealth } from "./de/health.ts";
import { problems as de, problemWords as deWords } from "./de/problems.ts";
import { health as esHealth } from "./es/health.ts";
import { problems as es, problemWords as esWords } from "./es/problems.ts";

/**
 * Why a request is refused is written in English where it is decided, in dozens of places, some of them in libraries. As
 * with gettext those words are the key of their translation; what varies in them is taken over as it is.
 */
type Template = { readonly literals: readonly string[]; readonly names: readonly string[]; readonly into: string };
type Catalogue = { readonly templates: readonly Template[]; readonly words: Readonly<Record<string, string>> };

const NAME = /\{(\w+)\}/;
/** A text in a text, and no further. */
const DEPTH_MAX = 2;
const TEXT_MAX = 1_000;

function catalogueOf(texts: Readonly<Record<string, string>>, words: Readonly<Record<string, string>>): Catalogue {
  const templates = Object.entries(texts).map(([text, into]) => {
    const parts = text.split(NAME);
    return {
      literals: parts.filter((_, i) => i % 2 === 0),
      names: parts.filter((_, i) => i % 2 === 1),
      into,
    };
  });
  return { templates, words };
}

const CATALOGUES: Readonly<Partial<Record<Language, Catalogue>>> = {
  de: catalogueOf({ ...de, ...deHealth }, deWords),
  es: catalogueOf({ ...es, ...esHealth }, esWords),
};

/** What a problem says, in a language; in English where nobody has translated it. */
export function problemIn(language: Language, text: string, depth = 0): string {
  const catalogue = CATALOGUES[language];
  if (!catalogue || text.length > TEXT_MAX || depth > DEPTH_MAX) return text;
  for (const template of catalogue.templates) {
    const values = valuesIn(template, text);
    if (values) return fill(template, values, (name, value) => shown(language, catalogue, name, value, depth));
  }
  return text;
}

function shown(language: Language, { words }: Catalogue, name: string, value: string, depth: number): string {
  if (name.startsWith("what")) return (Object.hasOwn(words, value) ? words[value] : undefined) ?? value;
  return name.startsWith("text") ? problemIn(language, value, depth + 1) : value;
}

/** What stands in the places of a template, from left to right, each as short as it can be: one look at the text. */
function valuesIn({ literals }: Template, text: string): string[] | undefined {
  const [first, ...others] = literals as readonly [string, ...string[]];
  if (!text.startsWith(first)) return undefined;
  const last = others.pop();
  if (last === undefined) return text.length === first.length ? [] : undefined;
  const end = text.length - last.length;
  if (!text.endsWith(last)) return undefined;
  const values: string[] = [];
  let from = first.length;
  for (const literal of others) {
    const at = text.indexOf(literal, from);
    if (at < 0) return undefined;
    values.push(text.slice(from, at));
    from = at + literal.length;
  }
  if (from > end) return undefined;
  return [...values, text.slice(from, end)];
}

function fill({ names, into }: Template, values: readonly string[], show: (name: string, value: string) => string) {
  return into.replace(/\{(\w+)\}/g, (_, name: string) => show(name, values[names.indexOf(name)] ?? ""));
}

/** Longer headers and more wishes than any reader has. */
const HEADER_MAX = 500;
const WISHES_MAX = 20;

/**
 * The language of an `Accept-Language` (RFC 9110, 12.5.4): of those it wants most the first that there is, by its
 * primary tag; a `*` is English, unless it is not wanted. English for a header that says nothing of ours.
 */
export function languageFor(header: string | undefined): Language {
  if (header === undefined) return "en";
  const wishes = header.slice(0, HEADER_MAX).split(",", WISHES_MAX).flatMap(wishOf);
  const refused = new Set(wishes.flatMap(({ tag, weight }) => (weight === 0 ? [tag] : [])));
  const wanted = wishes.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
  for (const { tag } of wanted) {
    const found = LANGUAGES.find((language) => (tag === "*" ? !refused.has(language) : tag === language));
    if (found) return found;
  }
  return "en";
}

/** The language of a POSIX locale such as `de_AT.UTF-8`; English for `C`, for none and for another. */
export function languageOfLocale(locale: string | undefined): Language {
  const tag = /^([A-Za-z]{2,3})(?:[_.@-]|$)/.exec(locale ?? "")?.[1]?.toLowerCase();
  return LANGUAGES.find((language) => language === tag) ?? "en";
}

function wishOf(text: string): { readonly tag: string; readonly weight: number }[] {
  const [range = "", ...rest] = text.split(";", 5);
  const tag = /^\s*(\*|[a-z]{1,8})(?:-[a-z0-9]{1,8})*\s*$/i.exec(range)?.[1]?.toLowerCase();
  if (tag === undefined) return [];
  const given = rest.flatMap((one) => /^\s*q\s*=\s*(\S*)\s*$/i.exec(one)?.[1] ?? []).at(0);
  if (given === undefined) return [{ tag, weight: 1 }];
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(given) ? [{ tag, weight: Number(given) }] : [];
}

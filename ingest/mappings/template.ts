import { isId } from "../../model/ids.ts";
import type { About } from "../formats/format.ts";

/** What a name stands for in a message; undefined where there is nothing. */
export type Lookup = (name: string) => unknown;

/** `{topic.2}` is the second level, `{topic.2+}` all from it on; `{header.x-pin}`, `{query.event}`, `{path}` of a request. */
export function aboutValue({ levels, params }: About, name: string): unknown {
  if (!name.startsWith("topic.")) return params.get(name);
  const [, level, all] = /^topic\.(\d{1,2})(\+?)$/.exec(name) ?? [];
  if (level === undefined) return undefined;
  const at = Number(level) - 1;
  const found = all === "+" ? levels.slice(at).join("/") : levels[at];
  return found === "" ? undefined : found;
}

/** A text with `{name}` or `{name|other}` in it, made of a message; undefined where it has none of these. */
export function compileTemplate(text: string): (lookup: Lookup) => string | undefined {
  const parts = text.split(/\{([^{}]+)\}/).map((part, index) => (index % 2 === 1 ? part.split("|") : part));
  if (parts.length === 1) return () => text;
  return (lookup) => {
    let made = "";
    for (const part of parts) {
      if (typeof part === "string") {
        made += part;
        continue;
      }
      const value = firstOf(part, lookup);
      if (value === undefined) return undefined;
      made += value;
    }
    return made;
  };
}

/** The names in a template. */
export const namesIn = (text: string): readonly string[] =>
  [...text.matchAll(/\{([^{}]+)\}/g)].flatMap(([, names]) => names!.split("|"));

function firstOf(names: readonly string[], lookup: Lookup): string | undefined {
  for (const name of names) {
    const value = lookup(name);
    if (typeof value === "number" || (typeof value === "string" && value !== "")) return String(value);
  }
  return undefined;
}

const ID_CHARS_MAX = 64;

/** A name from outside as an id of ours: `Pump room` becomes `pump-room`. "" where nothing of it can be used. */
export function slug(name: string): string {
  // Most are ids already.
  if (isId(name)) return name;
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}+/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, ID_CHARS_MAX)
    .replace(/-+$/, "");
}

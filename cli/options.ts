import { InvalidArgumentError } from "commander";
import { isId } from "../model/ids.ts";
import { isKind, KINDS, type Kind } from "../model/kinds.ts";

/** Parsers for commander: a wrong value is wrong usage (exit 2), with a sentence on what was expected. */
export function parseId(text: string): string {
  if (!isId(text)) throw new InvalidArgumentError("An id is 1 to 64 of a-z, 0-9 and -, and does not start with -.");
  return text;
}

export function parseKind(text: string): Kind {
  if (!isKind(text)) throw new InvalidArgumentError(`One of ${KINDS.join(", ")} was expected.`);
  return text;
}

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("A number was expected.");
  return value;
}

export function parseCount(text: string): number {
  const value = parseNumber(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("A whole number from 1 on was expected.");
  return value;
}

/** `--tag feeder=f-12 --tag lane=1`, gathered. */
export function gatherTag(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("A tag is key=value, such as lane=1.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Ids after one option, separated by commas or spaces. */
export function gatherIds(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").map(parseId)];
}

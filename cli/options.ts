import { InvalidArgumentError } from "commander";
import { checkRules, DEFAULT_RULES_FOLDER, formatMistake, readRulesTexts } from "../alerts/rules/check.ts";
import { isId } from "../model/ids.ts";
import { isKind, KINDS, type Kind } from "../model/kinds.ts";
import type { Rule } from "../model/rule.ts";
import { parseDuration } from "../model/time.ts";

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

/** A length of time in milliseconds. */
export function parseSpan(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("A time such as 90s, 10m, 8h or 7d was expected.");
  return ms;
}

/** `--tag feeder=f-12 --tag lane=1`, gathered. */
export function gatherTag(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("A tag is key=value, such as lane=1.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Ids after one option, separated by commas or spaces. */
export function gatherIds(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").map(parseId)];
}

export const checkPaths = (paths: readonly string[]) =>
  checkRules(readRulesTexts(paths.length > 0 ? paths : [DEFAULT_RULES_FOLDER]));

/** The rules of files and folders, for commands that need sound ones. Throws an Error with all mistakes. */
export function rulesOfPaths(paths: readonly string[]): readonly Rule[] {
  const { rules, mistakes } = checkPaths(paths);
  if (mistakes.length === 0) return rules;
  throw new Error(`these rules cannot be used:\n${mistakes.map(formatMistake).join("\n")}`);
}

import { createHash } from "node:crypto";
import type { RuleData } from "../../model/rule.ts";

/** The first 12 hex digits of the SHA-256 of the rule with its keys sorted: comments and order do not change it. */
export function versionOf(rule: RuleData): string {
  return createHash("sha256").update(canonical(rule)).digest("hex").slice(0, 12);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`;
}

import { createHash } from "node:crypto";

/**
 * `al-` and 16 hex digits: the first 64 bits of the SHA-256 of rule, sensor (or place) and start, and of the `fit` of the
 * rule's condition: a changed rule may see the same silence begin at the same moment, and that is another alert. The
 * same journal gives the same ids, so a replay after a crash finds its own alerts.
 */
export function alertId(ruleId: string, subject: string, startedAt: number, fit = ""): string {
  const text = [ruleId, subject, startedAt, ...(fit === "" ? [] : [fit])].join("\n");
  const hash = createHash("sha256").update(text).digest("hex");
  return `al-${hash.slice(0, 16)}`;
}

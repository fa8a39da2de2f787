import "../../model/city-metrics-of-thread.ts";

import { parentPort } from "node:worker_threads";
import type { RulesCheckView } from "../../contract/rule.ts";
import type { RuleData } from "../../model/rule.ts";
import { stepBack } from "../step-back.ts";
import { checkRules, parseRule } from "./check.ts";
import { MISTAKES_MAX } from "./yaml-file.ts";

/** What people send is read here, not where messages come in: the thread is ended when it takes too long. */
export type ToThread =
  /** `known`: ids of the rules in force. */
  | { readonly id: number; readonly yaml: string; readonly known: readonly string[] }
  | { readonly id: number; readonly rules: readonly unknown[] };
export type FromThread =
  | { readonly ready: true }
  | { readonly id: number; readonly result: CheckedText | CheckedRules };
/** A JSON text as the API shows it: it is written here, too. */
export type CheckedText = { readonly body: Uint8Array<ArrayBuffer> };
/** The rules, or the mistakes of the first that has some. */
export type CheckedRules = { readonly rules: readonly RuleData[] } | { readonly mistakes: readonly RuleIssue[] };
type RuleIssue = {
  readonly index: number;
  readonly path: readonly (string | number)[];
  readonly message: string;
};

/** An alias may repeat a long list in every rule. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

function checkText(yaml: string, known: readonly string[]): CheckedText {
  const { rules, mistakes } = checkRules([{ file: "rules.yaml", text: yaml }], new Set(known));
  const truncated = mistakes.length >= MISTAKES_MAX;
  if (!isTooLong(rules)) {
    const found = rules.map(({ version: _, ...data }) => data);
    return { body: encode({ ok: mistakes.length === 0, rules: rules.length, mistakes, truncated, found }) };
  }
  const message = `written out, these rules are longer than ${BODY_BYTES_MAX / 1024 / 1024} MiB: repeat less`;
  const tooLong = { file: "rules.yaml", line: 1, column: 1, message };
  return { body: encode({ ok: false, rules: 0, mistakes: [tooLong], truncated: false, found: [] }) };
}

/** Rule by rule, so that what is too long is never there as a whole. */
function isTooLong(rules: readonly RuleData[]): boolean {
  let left = BODY_BYTES_MAX;
  return rules.some((rule) => {
    left -= Buffer.byteLength(JSON.stringify(rule));
    return left < 0;
  });
}

const encode = (value: RulesCheckView) => new TextEncoder().encode(JSON.stringify(value));

function checkData(values: readonly unknown[]): CheckedRules {
  const rules: RuleData[] = [];
  for (const [index, value] of values.entries()) {
    const parsed = parseRule(value);
    if ("rule" in parsed) rules.push(parsed.rule);
    else {
      const mistakes = parsed.issues.map(({ path, message }) => ({ index, path: path.map(step), message }));
      return { mistakes };
    }
  }
  return { rules };
}

const step = (one: PropertyKey) => (typeof one === "number" ? one : String(one).slice(0, 64));

stepBack();
// Texts may hold a mistake in every sign, and each is an error to the parser: where it was made does not matter.
Error.stackTraceLimit = 0;
parentPort?.on("message", (message: ToThread) => {
  const { id } = message;
  const result = "yaml" in message ? checkText(message.yaml, message.known) : checkData(message.rules);
  const moved = "body" in result ? [result.body.buffer] : [];
  parentPort!.postMessage({ id, result } satisfies FromThread, moved);
});
parentPort?.postMessage({ ready: true } satisfies FromThread);

import type { Transition } from "../../model/alert.ts";
import { parseMoment } from "../rules/moment.ts";
import type { ExpectedData } from "../rules/test-schema.ts";

/** One line of a comparison. `because`: what differs where time, rule and subject are right. */
export type Difference = {
  readonly mark: "missing" | "unexpected" | "different" | "same";
  readonly what: string;
  readonly at: string;
  readonly rule: string;
  readonly subject: string;
  readonly because?: string;
};

/** What is compared unless a test names another: what people are told. */
const COMPARED = ["firing", "resolved", "retracted"];

/**
 * Compares what was said with what a test expects. Every firing, resolved and retracted entry must be expected; entries
 * of other kinds (pending, verdict, …) only in a test that names one of that kind, and the end of an alert that never
 * fired only in one that names pending. In the order of time.
 */
export function compare(said: readonly Transition[], expected: readonly ExpectedData[], start: number): Difference[] {
  const kinds = new Set([...COMPARED, ...expected.map(({ what }) => what)]);
  const pending = kinds.has("pending");
  const left = said.filter(({ alert, entry }) => kinds.has(entry.what) && (pending || alert.firedAt !== undefined));
  const lines: Difference[] = [];
  for (const one of expected) {
    const at = parseMoment(one.at, start)!;
    const found = bestOf(left, one, at);
    if (found) left.splice(left.indexOf(found), 1);
    lines.push(found ? settled(found, one) : missing(one, at));
  }
  for (const one of left) lines.push({ mark: "unexpected", ...lineOf(one), because: one.alert.explanation });
  return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

/** Of those that fit in kind, time, rule and subject, one that fits in the rest, too. */
function bestOf(said: readonly Transition[], one: ExpectedData, at: number): Transition | undefined {
  const fits = said.filter(({ alert, entry }) => {
    const { sensorId, district, gateway } = alert.subject;
    if (entry.what !== one.what || entry.at !== at) return false;
    if (one.rule !== undefined && one.rule !== alert.rule.id) return false;
    if (one.sensor !== undefined && one.sensor !== sensorId) return false;
    if (one.district !== undefined && one.district !== district) return false;
    return one.gateway === undefined || one.gateway === gateway;
  });
  return fits.find((candidate) => flaw(candidate, one) === undefined) ?? fits[0];
}

function settled(found: Transition, one: ExpectedData): Difference {
  const because = flaw(found, one);
  return because === undefined ? { mark: "same", ...lineOf(found) } : { mark: "different", ...lineOf(found), because };
}

function flaw({ alert }: Transition, { explanation, value, verdict }: ExpectedData): string | undefined {
  if (explanation !== undefined && !matches(alert.explanation, explanation))
    return `the explanation is "${alert.explanation}", not ${explanation}`;
  if (value !== undefined && (alert.value === undefined || Math.abs(alert.value - value) > 1e-9))
    return `the value is ${alert.value}, not ${value}`;
  if (verdict !== undefined && alert.verdict?.is !== verdict)
    return `the verdict is ${alert.verdict?.is ?? "missing"}, not ${verdict}`;
  return undefined;
}

function matches(text: string, wanted: string): boolean {
  if (wanted.length < 3 || !wanted.startsWith("/") || !wanted.endsWith("/")) return text.includes(wanted);
  try {
    return new RegExp(wanted.slice(1, -1)).test(text);
  } catch {
    return false;
  }
}

function missing(one: ExpectedData, at: number): Difference {
  const subject = one.sensor ?? one.gateway ?? one.district ?? "any";
  return { mark: "missing", what: one.what, at: iso(at), rule: one.rule ?? "any", subject };
}

function lineOf({ alert, entry }: Transition) {
  const { sensorId, gateway, tag, district } = alert.subject;
  const subject = sensorId ?? gateway ?? tag?.value ?? district ?? "-";
  return { what: entry.what, at: iso(entry.at), rule: alert.rule.id, subject };
}

const iso = (time: number) => new Date(time).toISOString();

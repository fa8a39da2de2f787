import type { RuleView } from "../../contract/rule.ts";
import { AUDIENCES, type Audience } from "../../model/alert.ts";
import { KINDS } from "../../model/kinds.ts";
import type { RuleData } from "../../model/rule.ts";

export const RULE_KINDS = [...KINDS, "any"] as const;
export const MODES = ["live", "shadow"] as const;
export const RULE_STATES = ["ok", "error"] as const;
export const COLUMNS = ["title", "precision", "perDay", "noise", "toAcknowledge", "changedBy"] as const;
export type Column = (typeof COLUMNS)[number];

/** What the list is narrowed to and sorted by; it lives in the address. */
export type RuleFilters = {
  readonly text: string;
  readonly kind?: RuleData["kind"] | undefined;
  readonly audience?: Audience | undefined;
  readonly mode?: RuleData["mode"] | undefined;
  readonly state?: RuleView["state"] | undefined;
  /** Without it: as in the files, those out of use first. */
  readonly sort?: Column | undefined;
  readonly down: boolean;
};

const oneOf = <T extends string>(among: readonly T[], text: string | null) => among.find((one) => one === text);

export function readFilters(query: URLSearchParams): RuleFilters {
  return {
    text: query.get("q") ?? "",
    kind: oneOf(RULE_KINDS, query.get("kind")),
    audience: oneOf(AUDIENCES, query.get("for")),
    mode: oneOf(MODES, query.get("mode")),
    state: oneOf(RULE_STATES, query.get("state")),
    sort: oneOf(COLUMNS, query.get("sort")),
    down: query.get("dir") === "down",
  };
}

/** `words`: what else of a rule is searched, such as the name of its metric. */
export function applyFilters(
  rules: readonly RuleView[],
  filters: RuleFilters,
  words: (rule: RuleView) => string,
): RuleView[] {
  const { kind, audience, mode, state } = filters;
  const wanted = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = rules.filter((rule) => {
    if (kind && rule.kind !== kind) return false;
    if (audience && rule.audience !== audience) return false;
    if ((mode && rule.mode !== mode) || (state && rule.state !== state)) return false;
    const said = `${rule.id} ${rule.title} ${words(rule)}`.toLowerCase();
    return wanted.every((word) => said.includes(word));
  });
  return sorted(fitting, filters);
}

function sorted(rules: RuleView[], { sort, down }: RuleFilters): RuleView[] {
  if (!sort) return rules.sort((a, b) => Number(b.state === "error") - Number(a.state === "error"));
  const keyOf = KEYS[sort];
  return rules.sort((a, b) => {
    const [one, other] = [keyOf(a), keyOf(b)];
    // What is not known stands at the end, whichever way it is sorted.
    if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
    const order = typeof one === "string" ? one.localeCompare(String(other)) : one - Number(other);
    return down ? -order : order;
  });
}

const KEYS: Readonly<Record<Column, (rule: RuleView) => string | number | undefined>> = {
  title: ({ title }) => title,
  precision: ({ stats }) => stats?.precision,
  perDay: ({ stats }) => stats?.alertsPerDay,
  noise: ({ stats }) => stats?.suppressed,
  toAcknowledge: ({ stats }) => stats?.acknowledge?.medianMs,
  changedBy: ({ changed }) => (changed ? -Date.parse(changed.at) : undefined),
};

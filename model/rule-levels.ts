import type { Limit, RuleCondition } from "./conditions.ts";

/** What a level may say of the condition by itself. */
type OwnFields = {
  readonly above?: Limit | undefined;
  readonly below?: Limit | undefined;
  readonly clear?: Limit | undefined;
  readonly for?: string | undefined;
  readonly keepFor?: string | undefined;
  readonly count?: number | undefined;
  readonly allowed?: number | undefined;
};

const OWN = ["above", "below", "clear", "for", "keepFor", "count", "allowed"] as const;

/** What a level does not say of its own is as in the rule, but for `clear` and `allowed`, which belong to the limit. */
export function conditionAt(condition: RuleCondition, level: OwnFields): RuleCondition {
  const { clear: _, allowed: _1, ...shared } = condition as RuleCondition & { clear?: unknown; allowed?: unknown };
  const own = Object.fromEntries(OWN.flatMap((key) => (level[key] === undefined ? [] : [[key, level[key]]])));
  const { for: hold, ...rest } = { ...shared, ...own } as { for?: string };
  return (hold === undefined || hold === "0s" ? rest : { ...rest, for: hold }) as RuleCondition;
}

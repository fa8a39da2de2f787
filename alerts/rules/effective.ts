import { RULES_MAX, type Rule, type RuleData, ruleSchema } from "../../model/rule.ts";
import type { RuleChange } from "../../model/rule-change.ts";
import { versionOf } from "./version.ts";

/** The rules in force: those of the files, in their order, with what people changed laid over them; then people's own. */
type Effective = {
  readonly rules: readonly Rule[];
  /** The change that is in force for a rule, by id. */
  readonly changeOf: ReadonlyMap<string, RuleChange>;
  /** Changes that this version of the service does not understand: the file's rule is in force instead. */
  readonly unusable: readonly { readonly change: RuleChange; readonly why: string }[];
};

export function effectiveRules(files: readonly Rule[], newest: readonly RuleChange[]): Effective {
  const changeOf = new Map<string, RuleChange>();
  const unusable: Effective["unusable"][number][] = [];
  const changed = new Map<string, Rule>();
  for (const change of newest) {
    if (change.what === "removed") continue;
    const parsed = ruleSchema.safeParse(change.data);
    if (parsed.success && parsed.data.id === change.rule) {
      const data = parsed.data as RuleData;
      changed.set(change.rule, { ...data, version: versionOf(data) });
      changeOf.set(change.rule, change);
    } else unusable.push({ change, why: parsed.success ? "its id is another" : parsed.error.issues[0]!.message });
  }
  const overlaid = files.map((rule) => changed.get(rule.id) ?? rule);
  const ofFiles = new Set(files.map(({ id }) => id));
  const own = [...changed.values()].filter(({ id }) => !ofFiles.has(id));
  return { rules: [...overlaid, ...own].slice(0, RULES_MAX), changeOf, unusable };
}

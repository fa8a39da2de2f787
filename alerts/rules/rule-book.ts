import {
  NO_VERSION,
  type RuleAuthor,
  type RuleChange,
  type RuleEntry,
  type RuleOutcome,
  type RuleRefusal,
} from "../../contract/rule.ts";
import type { Log } from "../../model/log.ts";
import { formerIds, RULES_MAX, type Rule, type RuleData, ruleSchema, withoutLevels } from "../../model/rule.ts";
import type { Records } from "../../store/records.ts";
import { type Checked, crossMistakes, parseRule, versionOf } from "./check.ts";

type RuleBookOptions = {
  readonly files: Pick<Checked, "rules" | "fileOf">;
  readonly records: Pick<Records, "ruleChanges" | "audit" | "transaction">;
  readonly now: () => number;
  readonly log: Log;
};

/**
 * The rules in force. What people change takes effect at once, without a restart, and is kept as a version with author,
 * time, reason and figures, in one transaction with the audit; the files are never written.
 */
export function createRuleBook({ files, records, now, log }: RuleBookOptions) {
  let effective = effectiveRules(files.rules, records.ruleChanges.newest());
  const listeners: ((rules: readonly Rule[], at: number) => void)[] = [];
  for (const { change, why } of effective.unusable) {
    log.error({ rule: change.rule, by: change.by, why }, "a changed rule cannot be used; the file's is in force");
  }

  const find = (id: string) => effective.rules.find((rule) => rule.id === id);

  function entryOf(rule: Rule): RuleEntry {
    return { rule, file: files.fileOf.get(rule.id), change: effective.changeOf.get(rule.id) };
  }

  /** Creates a rule or lays another over it. */
  function put(id: string, value: unknown, author: RuleAuthor): RuleOutcome {
    const parsed = parseRule(value);
    if ("issues" in parsed) {
      const errors = parsed.issues.map(({ path, message }) => ({ pointer: `/${path.join("/")}`, detail: message }));
      return { refused: { why: "invalid", detail: "The rule is not valid.", errors } };
    }
    const data = parsed.rule;
    if (data.id !== id) return refuse("invalid", `The rule's id is "${data.id}", not "${id}".`);
    return write(id, data, "changed", author);
  }

  function promote(id: string, author: RuleAuthor): RuleOutcome {
    const rule = find(id);
    if (!rule) return refuse("missing", `There is no rule "${id}".`);
    if (rule.mode === "live") return refuse("conflict", `${id} is live already. ${lastChange(id)}`);
    const { version: _, ...data } = rule;
    return write(id, { ...data, mode: "live" }, "promoted", author);
  }

  /** Back to the file's version, or gone if it stands in no file. */
  function remove(id: string, author: RuleAuthor): RuleOutcome {
    const rule = find(id);
    if (!rule) return refuse("missing", `There is no rule "${id}".`);
    if (!effective.changeOf.has(id)) {
      const file = files.fileOf.get(id);
      return refuse(
        "conflict",
        `${id} stands in ${file} and was not changed here: take it out of the file, or try it out as shadow.`,
      );
    }
    const stale = staleness(rule, author);
    if (stale) return stale;
    const inForce = files.rules.find((one) => one.id === id);
    const left = [...effective.rules.filter((one) => one.id !== id), ...(inForce ? [inForce] : [])];
    const broken = brokenBy(left);
    if (broken) return broken;
    keep({ rule: id, at: now(), by: author.by, what: "removed", reason: author.reason }, `was ${rule.version}`);
    const back = find(id);
    return back ? entryOf(back) : { removed: true };
  }

  function write(id: string, data: RuleData, what: "changed" | "promoted", author: RuleAuthor): RuleOutcome {
    const former = find(id);
    const stale = staleness(former, author);
    if (stale) return stale;
    const version = versionOf(data);
    if (former?.version === version) return entryOf(former);
    const rule = { ...data, version };
    const broken = brokenBy([...effective.rules.filter((one) => one.id !== id), rule]);
    if (broken) return broken;
    const { by, reason, figures } = author;
    keep({ rule: id, at: now(), by, what, reason, version, data, figures }, former ? `was ${former.version}` : "new");
    return entryOf(find(id)!);
  }

  function keep(change: Omit<RuleChange, "id">, before: string): void {
    const { at, by, rule, what, reason, version, figures } = change;
    const ground = figures ? `; backtest: ${figures.alerts} alerts, ${figures.alertsPerDay} a day` : "";
    const detail = `${version ? `version ${version}, ` : ""}${before}: ${reason}${ground}`;
    records.transaction(() => {
      records.ruleChanges.add(change);
      records.audit.add({ at, by, what: `rule.${what}`, target: rule, detail });
    });
    effective = effectiveRules(files.rules, records.ruleChanges.newest());
    log.info({ rule, by, what, version }, "a rule was changed");
    for (const listener of listeners) listener(effective.rules, at);
  }

  function staleness(rule: Rule | undefined, { ifVersion }: RuleAuthor): { refused: RuleRefusal } | undefined {
    if (ifVersion === undefined || ifVersion === (rule?.version ?? NO_VERSION)) return undefined;
    if (!rule) return refuse("conflict", "There is no such rule any more.");
    if (ifVersion === NO_VERSION) return refuse("conflict", `There is a rule "${rule.id}". ${lastChange(rule.id)}`);
    return refuse("conflict", `It is version ${rule.version} now, not ${ifVersion}. ${lastChange(rule.id)}`);
  }

  function lastChange(id: string): string {
    const change = records.ruleChanges.of(id, 1).items[0];
    if (!change) return "It is as in its file.";
    return `${change.by} ${change.what} it at ${new Date(change.at).toISOString()}: ${change.reason}`;
  }

  /** What rules say about each other must hold afterwards, too. */
  function brokenBy(rules: readonly Rule[]): { refused: RuleRefusal } | undefined {
    const nowhere = { file: "", line: 0, column: 0 };
    const found = rules.map((rule) => ({
      rule,
      at: { ...nowhere, file: `rule ${rule.id}`, message: "" },
      locate: (_: readonly PropertyKey[], message: string) => ({ ...nowhere, file: `rule ${rule.id}`, message }),
    }));
    const mistakes = crossMistakes(found, new Set(rules.map(({ id }) => id)));
    if (mistakes.length === 0) return undefined;
    const errors = mistakes.map(({ file, message }) => ({ pointer: "/rule", detail: `${file}: ${message}` }));
    return { refused: { why: "invalid", detail: "The rules would contradict each other.", errors } };
  }

  return {
    rules: () => effective.rules,
    entries: () => effective.rules.map(entryOf),
    /** Also by the name of a rule that has become a level of it. */
    entry(id: string): RuleEntry | undefined {
      const rule = find(id) ?? effective.rules.find((one) => formerIds(one).includes(id));
      return rule && entryOf(rule);
    },
    put,
    promote,
    remove,
    versions: records.ruleChanges.of,
    /** Called after every change that was kept. */
    onChange(listener: (rules: readonly Rule[], at: number) => void): void {
      listeners.push(listener);
    },
  };
}

export type RuleBook = ReturnType<typeof createRuleBook>;

const refuse = (why: RuleRefusal["why"], detail: string) => ({ refused: { why, detail } });

/** The rules in force: those of the files, in their order, with what people changed laid over them; then people's own. */
type Effective = {
  readonly rules: readonly Rule[];
  /** The change that is in force for a rule, by id. */
  readonly changeOf: ReadonlyMap<string, RuleChange>;
  /** Changes that this version of the service does not understand: the file's rule is in force instead. */
  readonly unusable: readonly { readonly change: RuleChange; readonly why: string }[];
};

function effectiveRules(files: readonly Rule[], newest: readonly RuleChange[]): Effective {
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
  const ofFiles = new Set(files.map(({ id }) => id));
  const own = [...changed.values()].filter(({ id }) => !ofFiles.has(id));
  // A level that was a rule, which people have changed, goes on as the rule that they made of it.
  const owned = new Set(own.map(({ id }) => id));
  const overlaid = files.flatMap((rule) => changed.get(rule.id) ?? (withLevelsBeside(rule, owned) || []));
  const rules = [...overlaid, ...own].slice(0, RULES_MAX);
  return { rules: withNamesOfNow(rules), changeOf, unusable };
}

function withLevelsBeside(rule: Rule, owned: ReadonlySet<string>): Rule | undefined {
  if (!formerIds(rule).some((id) => owned.has(id))) return rule;
  const { version: _, ...data } = rule;
  const left = withoutLevels(data, owned);
  return left && { ...left, version: versionOf(left) };
}

/** Rules that speak of one that has become a level of another speak of that one. */
function withNamesOfNow(rules: readonly Rule[]): readonly Rule[] {
  // Of a rule and copies of it the first: those of the files come first.
  const heirs = rules.toReversed().flatMap((rule) => formerIds(rule).map((id) => [id, rule.id] as const));
  const names = new Map(heirs);
  const isFormer = (id: string) => names.has(id);
  const nowOf = (id: string) => names.get(id) ?? id;
  return rules.map((rule) => {
    const { inhibits, condition } = rule;
    const counts = condition.type === "quorum" && isFormer(condition.rule);
    if (!counts && !inhibits?.some((one) => isFormer(one.rule))) return rule;
    return {
      ...rule,
      ...(inhibits && { inhibits: inhibits.map((one) => ({ ...one, rule: nowOf(one.rule) })) }),
      ...(counts && { condition: { ...condition, rule: nowOf(condition.rule) } }),
    };
  });
}

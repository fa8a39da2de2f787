import { createBacktests } from "../alerts/backtest/service.ts";
import { type Checked, versionOf } from "../alerts/rules/check.ts";
import { createRulesChecker } from "../alerts/rules/checker.ts";
import { createRuleBook, type RuleBook } from "../alerts/rules/rule-book.ts";
import type { RuleDeps } from "../api/deps.ts";
import type { Log } from "../model/log.ts";
import type { Rule, RuleData } from "../model/rule.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";

type RulesStart = {
  readonly files: Pick<Checked, "rules" | "fileOf">;
  readonly records: Records;
  readonly store: Pick<ReadingStore, "scan">;
  /** The city's. */
  readonly zone?: string;
  readonly place?: Rule["place"] | undefined;
  readonly holidays?: readonly string[];
  readonly now: () => number;
  readonly log: Log;
};

/** The rules in force, and what people do with them: change them, try them on history. */
export function startRules({ files, records, store, zone, place, holidays, now, log }: RulesStart): {
  readonly book: RuleBook;
  deps(failures: RuleDeps["failures"]): RuleDeps;
} {
  const book = createRuleBook({ files, records, now, log });
  const checker = createRulesChecker();
  const check: RuleDeps["check"] = (yaml, signal) =>
    checker.text(
      yaml,
      book.rules().map(({ id }) => id),
      signal,
    );
  const backtests = createBacktests({ store, sensors: records.sensors.list, zone, place, holidays, now, log });

  const backtest: RuleDeps["backtest"] = async ({ rules: asked, ...rest }, signal) => {
    const rules = asked.map((rule) => ({ ...rule, version: versionOf(rule) }));
    const reported = rules.map(({ id }) => id);
    const { body } = await backtests.run({ ...rest, rules: [...rules, ...counted(asked)], reported }, signal);
    return body;
  };

  /** A quorum counts the alerts of another rule: it has to run, too. */
  function counted(rules: readonly RuleData[]) {
    const wanted = rules.flatMap(({ condition }) => (condition.type === "quorum" ? [condition.rule] : []));
    const missing = new Set(wanted.filter((id) => !rules.some((rule) => rule.id === id)));
    return book.rules().filter(({ id }) => missing.has(id));
  }

  return {
    book,
    deps: (failures) => ({
      ...book,
      failures,
      check,
      parse: checker.data,
      backtest,
    }),
  };
}

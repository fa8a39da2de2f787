import type { RuleView } from "../../contract/rule.ts";
import "./rules.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import { AUDIENCES } from "../../model/alert.ts";
import { eachPage } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Choice } from "../parts/choice.tsx";
import { SeverityMark } from "../parts/facts.tsx";
import { Message } from "../parts/state.tsx";
import { language } from "../shell/preferences.ts";
import { query, setQuery } from "../shell/router.ts";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { metricLabel, sayMs } from "../words/words.ts";
import {
  applyFilters,
  COLUMNS,
  type Column,
  MODES,
  RULE_KINDS,
  RULE_STATES,
  type RuleFilters,
  readFilters,
} from "./filters.ts";
import { ModeChip, sayWhen } from "./rule-words.tsx";
import { ruleHref } from "./rules-api.ts";

/** `/rules`: what the service listens for, and how well each rule does. */
export function RulesPage() {
  const t = messages.value;
  const [rules, setRules] = useState<readonly RuleView[] | undefined>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (failed) return;
    const leaving = new AbortController();
    const found: RuleView[] = [];
    const take = (some: readonly RuleView[]) => void found.push(...some);
    eachPage<RuleView>("/rules", take, leaving.signal).then(
      () => setRules(found),
      () => leaving.signal.aborted || setFailed(true),
    );
    return () => leaving.abort();
  }, [failed]);

  if (failed) return <Message title={t.rules.failed} action={t.shell.retry} onAction={() => setFailed(false)} />;
  return (
    <div class="rules">
      <div class="section-head">
        <h1 tabIndex={-1}>{t.rules.title}</h1>
        {mayManage.value && (
          <a class="button" href="/new-rule">
            {t.rules.newRule}
          </a>
        )}
      </div>
      {rules ? <Loaded rules={rules} /> : <p class="quiet loading">{t.shell.loading}</p>}
    </div>
  );
}

function Loaded({ rules }: { rules: readonly RuleView[] }) {
  const t = messages.value.rules;
  const filters = readFilters(query.value);
  const words = useMemo(() => new Map(rules.map((rule) => [rule.id, wordsOf(rule)])), [rules, messages.value]);
  const shown = applyFilters(rules, filters, ({ id }) => words.get(id)!.search);
  const broken = rules.filter(({ state }) => state === "error").length;
  return (
    <>
      {broken > 0 && (
        <p class="rules-broken" role="alert">
          {t.broken(broken)}
          {filters.state !== "error" && (
            <button type="button" class="button" onClick={() => setQuery({ state: "error" })}>
              {t.showBroken}
            </button>
          )}
        </p>
      )}
      <FilterBar filters={filters} />
      <p class="quiet" role="status">
        {t.count(shown.length, rules.length)}
      </p>
      {shown.length === 0 ? (
        <div class="rules-empty">
          <p>{t.emptyTitle}</p>
          <button
            type="button"
            class="button"
            onClick={() => setQuery({ q: "", kind: "", for: "", mode: "", state: "" })}
          >
            {t.clear}
          </button>
        </div>
      ) : (
        <RuleTable rules={shown} filters={filters} sentenceOf={({ id }) => words.get(id)!.sentence} />
      )}
    </>
  );
}

function wordsOf(rule: RuleView): { readonly sentence: string; readonly search: string } {
  const sentence = sayWhen(rule);
  return { sentence, search: `${sentence} ${rule.metric ?? ""} ${metricLabel(rule.metric ?? "")}` };
}

function FilterBar({ filters }: { filters: RuleFilters }) {
  const { rules: t, words } = messages.value;
  return (
    <search class="rules-filters" aria-label={t.filters}>
      <input
        type="search"
        aria-label={t.search}
        placeholder={t.searchHint}
        value={filters.text}
        onInput={(event) => setQuery({ q: event.currentTarget.value })}
      />
      <div class="choices">
        <Choice
          {...{ label: t.kind, any: t.any, value: filters.kind, among: RULE_KINDS }}
          say={(one) => t.kinds[one]}
          onChoose={(kind) => setQuery({ kind })}
        />
        <Choice
          {...{ label: t.audience, any: t.any, value: filters.audience, among: AUDIENCES }}
          say={(one) => words.audience[one]}
          onChoose={(audience) => setQuery({ for: audience })}
        />
        <Choice
          {...{ label: t.mode, any: t.any, value: filters.mode, among: MODES }}
          say={(one) => t.modes[one]}
          onChoose={(mode) => setQuery({ mode })}
        />
        <Choice
          {...{ label: t.state, any: t.any, value: filters.state, among: RULE_STATES }}
          say={(one) => t.states[one]}
          onChoose={(state) => setQuery({ state })}
        />
      </div>
    </search>
  );
}

type RuleTableProps = {
  readonly rules: readonly RuleView[];
  readonly filters: RuleFilters;
  readonly sentenceOf: (rule: RuleView) => string;
};

/** One line for each rule; on a phone one block. */
export function RuleTable({ rules, filters, sentenceOf }: RuleTableProps) {
  const t = messages.value.rules;
  const names: Readonly<Record<Column, string>> = { ...t, title: t.rule };
  return (
    <table class="rules-table">
      <thead>
        <tr>
          {COLUMNS.map((column) => (
            <SortHeader key={column} {...{ column, filters, name: names[column] }} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <Row key={rule.id} {...{ rule, names, sentence: sentenceOf(rule) }} />
        ))}
      </tbody>
    </table>
  );
}

type SortHeaderProps = { readonly column: Column; readonly filters: RuleFilters; readonly name: string };

function SortHeader({ column, filters: { sort, down }, name }: SortHeaderProps) {
  const t = messages.value.rules;
  const on = sort === column;
  const isNumber = column !== "title" && column !== "changedBy";
  // Numbers begin with the largest; a third press goes back to the order of the files.
  const turn = () => {
    if (!on) setQuery({ sort: column, dir: isNumber ? "down" : undefined });
    else if (down === isNumber) setQuery({ dir: isNumber ? undefined : "down" });
    else setQuery({ sort: undefined, dir: undefined });
  };
  const hint = column === "precision" ? t.precisionHint : column === "noise" ? t.noiseHint : undefined;
  return (
    <th
      scope="col"
      class={isNumber ? "number" : undefined}
      aria-sort={on ? (down ? "descending" : "ascending") : undefined}
      title={hint}
    >
      <button type="button" aria-label={t.sortBy(name)} onClick={turn}>
        {name}
        <i aria-hidden="true">{on ? (down ? "↓" : "↑") : ""}</i>
      </button>
    </th>
  );
}

type RowProps = {
  readonly rule: RuleView;
  readonly names: Readonly<Record<Column, string>>;
  readonly sentence: string;
};

function Row({ rule, names, sentence }: RowProps) {
  const { rules: t, words } = messages.value;
  const { stats, changed } = rule;
  return (
    <tr class={rule.state === "error" ? "broken" : undefined}>
      <th scope="row">
        <span class="rule-name">
          <SeverityMark severity={rule.severity} />
          <a href={ruleHref(rule.id)}>{rule.title}</a>
          <ModeChip rule={rule} />
          <span class="chip">{words.audience[rule.audience]}</span>
        </span>
        <small class="quiet">{sentence}</small>
        {rule.failure !== undefined && <small class="wrong">{rule.failure}</small>}
      </th>
      <td class="number" data-name={names.precision}>
        {stats?.precision === undefined ? (
          <small class="quiet">{t.notJudged}</small>
        ) : (
          <span title={t.judged(stats.reviews.right, stats.reviews.wrong)}>{sayPercent(stats.precision)}</span>
        )}
      </td>
      <td class="number" data-name={names.perDay}>
        {stats ? sayRate(stats.alertsPerDay) : t.none}
      </td>
      <td class="number" data-name={names.noise}>
        {stats?.suppressed ?? t.none}
        {stats !== undefined && stats.flaps > 0 && <small class="quiet"> {t.flapped(stats.flaps)}</small>}
      </td>
      <td class="number" data-name={names.toAcknowledge}>
        {stats?.acknowledge ? sayMs(stats.acknowledge.medianMs) : t.none}
      </td>
      <td data-name={names.changedBy}>
        {changed ? (
          <span title={changed.reason}>
            {changed.by}
            <small class="quiet">
              <Moment at={changed.at} />
            </small>
          </span>
        ) : (
          t.none
        )}
      </td>
    </tr>
  );
}

const sayPercent = (share: number) => new Intl.NumberFormat(language.value, { style: "percent" }).format(share);
/** Few alerts a day are told apart, too. */
export const sayRate = (rate: number): string =>
  new Intl.NumberFormat(language.value, { maximumFractionDigits: rate >= 10 ? 0 : rate >= 1 ? 1 : 2 }).format(rate);

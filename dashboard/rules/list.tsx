import type { RuleView } from "../../contract/rule.ts";
import "./rules.css";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { AUDIENCES } from "../../model/alert.ts";
import { messages } from "../messages/messages.ts";
import { describePercent, describeRate, describeWhen } from "../messages/rule-words.ts";
import { Button } from "../parts/fields.tsx";
import { SeverityMark } from "../parts/show.tsx";
import { Loading, loadAll, Message, useLoaded } from "../parts/state.tsx";
import { Choice, Filters, Table } from "../parts/table.tsx";
import { query, setQuery } from "../shell/router.ts";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { describeMs, metricLabel } from "../words/words.ts";
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
import { ModeChip } from "./mode-chip.tsx";
import { ruleHref } from "./rules-api.ts";

/** `/rules`: what the service listens for, and how well each rule does. */
export function RulesPage() {
  const t = messages.value;
  const { found: rules, problem, reload } = useLoaded((signal) => loadAll<RuleView>("/rules", signal));
  if (problem !== undefined) return <Message title={t.rules.failed} action={t.shell.retry} onAction={reload} />;
  return (
    <div class="rules page">
      <div class="section-head">
        <h1 tabIndex={-1}>{t.rules.title}</h1>
        {mayManage.value && (
          <a class="button" href="/new-rule">
            {t.rules.newRule}
          </a>
        )}
      </div>
      {rules ? <Loaded rules={rules} /> : <Loading />}
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
        <p class="alarm cluster" role="alert">
          {t.broken(broken)}
          {filters.state !== "error" && <Button onClick={() => setQuery({ state: "error" })}>{t.showBroken}</Button>}
        </p>
      )}
      <RuleFiltersBar filters={filters} />
      <p class="quiet" role="status">
        {t.count(shown.length, rules.length)}
      </p>
      {shown.length === 0 ? (
        <div class="message stack">
          <p>{t.emptyTitle}</p>
          <Button onClick={() => setQuery({ q: "", kind: "", for: "", mode: "", state: "" })}>{t.clear}</Button>
        </div>
      ) : (
        <RuleTable rules={shown} filters={filters} sentenceOf={({ id }) => words.get(id)!.sentence} />
      )}
    </>
  );
}

function wordsOf(rule: RuleView): { readonly sentence: string; readonly search: string } {
  const sentence = describeWhen(rule);
  return { sentence, search: `${sentence} ${rule.metric ?? ""} ${metricLabel(rule.metric ?? "")}` };
}

function RuleFiltersBar({ filters }: { filters: RuleFilters }) {
  const { rules: t, words } = messages.value;
  return (
    <Filters text={filters.text} label={t.search} hint={t.searchHint} onText={(q) => setQuery({ q })}>
      <Choice
        label={t.kind}
        value={filters.kind}
        among={RULE_KINDS}
        say={(one) => t.kinds[one]}
        onChoose={(kind) => setQuery({ kind })}
      />
      <Choice
        label={t.audience}
        value={filters.audience}
        among={AUDIENCES}
        say={(one) => words.audience[one]}
        onChoose={(audience) => setQuery({ for: audience })}
      />
      <Choice
        label={t.mode}
        value={filters.mode}
        among={MODES}
        say={(one) => t.modes[one]}
        onChoose={(mode) => setQuery({ mode })}
      />
      <Choice
        label={t.state}
        value={filters.state}
        among={RULE_STATES}
        say={(one) => t.states[one]}
        onChoose={(state) => setQuery({ state })}
      />
    </Filters>
  );
}

type RuleTableProps = {
  readonly rules: readonly RuleView[];
  readonly filters: RuleFilters;
  readonly sentenceOf: (rule: RuleView) => string;
};

/** One line for each rule; on a phone one block. */
function RuleTable({ rules, filters, sentenceOf }: RuleTableProps) {
  const t = messages.value.rules;
  const names: Readonly<Record<Column, string>> = { ...t, title: t.rule };
  return (
    <Table
      label={t.title}
      class="rules-table"
      columns={COLUMNS.map((column) => ({
        head: <SortButton column={column} filters={filters} name={names[column]} />,
        class: isNumber(column) ? "number" : undefined,
        sorted: filters.sort === column ? (filters.down ? "descending" : "ascending") : undefined,
        name: names[column],
      }))}
      rows={rules.map((rule) => ({
        key: rule.id,
        class: rule.state === "error" ? "broken" : undefined,
        cells: cellsOf(rule, sentenceOf(rule)),
      }))}
    />
  );
}

const isNumber = (column: Column) => column !== "title" && column !== "changedBy";

type SortProps = { readonly column: Column; readonly filters: RuleFilters; readonly name: string };

function SortButton({ column, filters: { sort, down }, name }: SortProps) {
  const t = messages.value.rules;
  const on = sort === column;
  // Numbers begin with the largest; a third press goes back to the order of the files.
  const turn = () => {
    if (!on) setQuery({ sort: column, dir: isNumber(column) ? "down" : undefined });
    else if (down === isNumber(column)) setQuery({ dir: isNumber(column) ? undefined : "down" });
    else setQuery({ sort: undefined, dir: undefined });
  };
  const hint = column === "precision" ? t.precisionHint : column === "noise" ? t.noiseHint : undefined;
  return (
    <button type="button" aria-label={t.sortBy(name)} title={hint} onClick={turn}>
      {name}
      <i aria-hidden="true">{on ? (down ? "↓" : "↑") : ""}</i>
    </button>
  );
}

function cellsOf(rule: RuleView, sentence: string): ComponentChildren[] {
  const { rules: t, words } = messages.value;
  const { stats, changed } = rule;
  return [
    <>
      <span class="rule-name cluster">
        <SeverityMark severity={rule.severity} />
        <a href={ruleHref(rule.id)}>{rule.title}</a>
        <ModeChip rule={rule} />
        <span class="chip">{words.audience[rule.audience]}</span>
      </span>
      <small class="quiet">{sentence}</small>
      {rule.failure !== undefined && <small class="wrong">{rule.failure}</small>}
    </>,
    stats?.precision === undefined ? (
      <small class="quiet">{t.notJudged}</small>
    ) : (
      <span title={t.judged(stats.reviews.right, stats.reviews.wrong)}>{describePercent(stats.precision)}</span>
    ),
    stats ? describeRate(stats.alertsPerDay) : t.none,
    <>
      {stats?.suppressed ?? t.none}
      {stats !== undefined && stats.flaps > 0 && <small class="quiet"> {t.flapped(stats.flaps)}</small>}
    </>,
    stats?.acknowledge ? describeMs(stats.acknowledge.medianMs) : t.none,
    changed ? (
      <span title={changed.reason}>
        {changed.by}
        <small class="quiet">
          <Moment at={changed.at} />
        </small>
      </span>
    ) : (
      t.none
    ),
  ];
}

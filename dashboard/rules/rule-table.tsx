import { messages } from "../messages/messages.ts";
import { SeverityMark } from "../parts/severity.tsx";
import { language } from "../shell/preferences.ts";
import { setQuery } from "../shell/router.ts";
import { sayMs } from "../words/span.ts";
import { Moment } from "../words/time.tsx";
import { COLUMNS, type Column, type RuleFilters } from "./filters.ts";
import { ModeChip } from "./mode-chip.tsx";
import { type RuleView, ruleHref } from "./rules-api.ts";

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

import type { RuleStats, Spans } from "../../model/rule-stats.ts";
import { messages } from "../messages/messages.ts";
import { language } from "../shell/preferences.ts";
import { sayMs } from "../words/span.ts";
import { sayRate } from "./rule-table.tsx";

/** How it did, in the last 30 days. */
export function RuleFigures({ stats }: { stats: RuleStats }) {
  const t = messages.value.rules;
  const { reviews, precision } = stats;
  return (
    <section>
      <h2>{t.last30}</h2>
      <dl class="figures">
        <Figure name={t.alertsRaised} value={stats.alerts} />
        <Figure name={t.perDay} value={sayRate(stats.alertsPerDay)} />
        <Figure
          name={t.precision}
          value={precision === undefined ? t.notJudged : percent(precision)}
          note={precision === undefined ? undefined : t.judged(reviews.right, reviews.wrong)}
        />
        <Figure
          name={t.suppressed}
          value={stats.suppressed}
          note={stats.flaps > 0 ? t.flapped(stats.flaps) : undefined}
        />
        <Figure name={t.retracted} value={stats.retracted} />
        <Figure name={t.toAcknowledge} value={sayTook(stats.acknowledge)} />
        <Figure name={t.toResolve} value={sayTook(stats.resolve)} />
      </dl>
    </section>
  );
}

type FigureProps = { readonly name: string; readonly value: string | number; readonly note?: string | undefined };

export function Figure({ name, value, note }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {note !== undefined && <small class="quiet">{note}</small>}
      </dd>
    </div>
  );
}

const percent = (share: number) => new Intl.NumberFormat(language.value, { style: "percent" }).format(share);

function sayTook(spans: Spans | undefined): string {
  const t = messages.value.rules;
  if (!spans) return t.none;
  return spans.count === 1 ? sayMs(spans.medianMs) : t.took(sayMs(spans.medianMs), sayMs(spans.p90Ms));
}

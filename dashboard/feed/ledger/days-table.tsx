import { messages } from "../../messages/messages.ts";
import { formatCount } from "../numbers.ts";
import { type LedgerView, TERMS } from "./ledger-data.ts";

export function DaysTable({ days, settled }: { days: LedgerView["days"]; settled: boolean }) {
  const t = messages.value.feed.ledger;
  if (days.length === 0) return null;
  return (
    <section class="feed-section">
      <h2>{t.days}</h2>
      {settled && <p class="note">{t.settled}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
      <section class="feed-table" tabIndex={0} aria-label={t.days}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.day}</th>
              {(["received", ...TERMS] as const).map((term) => (
                <th key={term} scope="col" class="number">
                  {t[term]}
                </th>
              ))}
              <th scope="col">{t.books}</th>
            </tr>
          </thead>
          <tbody>
            {days.map((line) => (
              <tr key={line.day}>
                <th scope="row">{line.day}</th>
                {(["received", ...TERMS] as const).map((term) => (
                  <td key={term} class="number">
                    {formatCount(line[term])}
                  </td>
                ))}
                <td>
                  <span class={`feed-health ${line.balanced ? "ok" : "failed"}`}>
                    {line.balanced ? t.balanced : t.notBalanced}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </section>
  );
}

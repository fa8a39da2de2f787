import type { MetricName } from "../../../model/metrics.ts";
import type { ReadingView } from "../../../model/reading.ts";
import { messages } from "../../messages/messages.ts";
import { formatUtc } from "../../words/time.tsx";
import { districtName, formatValue } from "../../words/units.ts";
import { formatClock } from "../numbers.ts";
import type { Row } from "./feed-buffer.ts";
import type { FollowedReadings } from "./feed-state.ts";

type TableProps = {
  readonly followed: FollowedReadings;
  readonly chosen: ReadingView | undefined;
  readonly choose: (reading: ReadingView) => void;
};

/** The rows, newest first. While a pointer or the keyboard is in them, they stand still. */
export function ReadingTable({ followed, chosen, choose }: TableProps) {
  const { feed } = messages.value;
  const t = feed.live;
  const hold = (on: boolean) => {
    followed.held.value = on;
  };
  const isTyping = (target: EventTarget) => (target as Element).matches(":focus-visible");
  return (
    <section
      class="feed-rows"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
      tabIndex={0}
      aria-label={t.list}
      // A finger has no place when it is lifted.
      onPointerEnter={(event) => event.pointerType === "mouse" && hold(true)}
      onPointerLeave={() => hold(false)}
      onFocusIn={(event) => isTyping(event.target as EventTarget) && hold(true)}
      onFocusOut={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && hold(false)}
    >
      <table>
        <Head />
        <tbody>
          {followed.rows.value.map((row) => (
            <ReadingRow key={row.id} row={row} isChosen={row.reading === chosen} choose={choose} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Head() {
  const t = messages.value.feed.live;
  return (
    <thead>
      <tr>
        <th scope="col" class="feed-time">
          {t.time}
        </th>
        <th scope="col" class="feed-sensor">
          {t.sensor}
        </th>
        <th scope="col" class="feed-place">
          {t.district}
        </th>
        <th scope="col">{t.values}</th>
      </tr>
    </thead>
  );
}

type RowProps = {
  readonly row: Row;
  readonly isChosen: boolean;
  readonly choose: (reading: ReadingView) => void;
};

function ReadingRow({ row: { reading }, isChosen, choose }: RowProps) {
  const t = messages.value.feed.live;
  const measuredAt = Date.parse(reading.measuredAt);
  const pick = () => choose(reading);
  return (
    // The button in it does the same for the keyboard.
    <tr class={isChosen ? "chosen" : ""} onClick={pick}>
      <td class="feed-time">
        <time dateTime={reading.measuredAt} title={formatUtc(measuredAt)}>
          {formatClock(measuredAt)}
        </time>
      </td>
      <th scope="row" class="feed-sensor">
        <button type="button" class="link" aria-pressed={isChosen} onClick={pick}>
          {reading.sensorId}
        </button>
      </th>
      <td class="feed-place">{districtName(reading.district)}</td>
      <td class="feed-values">
        {reading.quality && <span class="chip wrong">{t.suspect}</span>}
        {reading.late && <span class="chip">{t.late}</span>} {sayValues(reading)}
      </td>
    </tr>
  );
}

const sayValues = ({ values }: ReadingView): string =>
  Object.entries(values)
    .map(([metric, value]) => `${metric} ${formatValue(value, metric as MetricName)}`)
    .join(" · ");

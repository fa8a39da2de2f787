import { useEffect, useMemo, useState } from "preact/hooks";
import type { ReadingView } from "../../../model/reading.ts";
import { messages } from "../../messages/messages.ts";
import { formatCount, formatRate } from "../numbers.ts";
import { ROWS_MAX } from "./feed-buffer.ts";
import { isFiltered } from "./feed-filter.ts";
import { FeedFilters } from "./feed-filters.tsx";
import { type FollowedReadings, followReadings } from "./feed-state.ts";
import { OneReading } from "./one-reading.tsx";
import { ReadingTable } from "./reading-table.tsx";

/** Readings as they come. */
export function LiveReadings() {
  const t = messages.value.feed.live;
  const followed = useMemo(followReadings, []);
  useEffect(() => followed.close, [followed]);
  const [chosen, setChosen] = useState<ReadingView | undefined>();
  const { rows, filter, connection, paused } = followed;
  return (
    <>
      <FeedFilters filter={filter.value} />
      <div class="feed-bar">
        <button
          type="button"
          class="button"
          aria-pressed={paused.value}
          onClick={() => {
            paused.value = !paused.value;
          }}
        >
          {paused.value ? t.resume : t.pause}
        </button>
        <RateFigures followed={followed} />
        <StateLine followed={followed} />
      </div>
      <div class="feed-split">
        {rows.value.length > 0 ? (
          <ReadingTable followed={followed} chosen={chosen} choose={setChosen} />
        ) : (
          <p class="feed-empty quiet">
            {connection.value === "lost" ? t.lost : isFiltered(filter.value) ? t.emptyFiltered : t.empty}
          </p>
        )}
        <OneReading reading={chosen} close={() => setChosen(undefined)} />
      </div>
    </>
  );
}

function RateFigures({ followed }: { followed: FollowedReadings }) {
  const t = messages.value.feed;
  const { all, fitting } = followed.rates.value;
  return (
    <dl class="feed-rates">
      <div>
        <dt>{t.live.all}</dt>
        <dd>{t.perSecond(formatRate(all))}</dd>
      </div>
      {isFiltered(followed.filter.value) && (
        <div>
          <dt>{t.live.fitting}</dt>
          <dd>{t.perSecond(formatRate(fitting))}</dd>
        </div>
      )}
    </dl>
  );
}

/** What one looks at: all of it, a sample, or something that stands still. Always one line, so that nothing moves. */
function StateLine({ followed }: { followed: FollowedReadings }) {
  const t = messages.value.feed.live;
  const { rates, waiting, missing, paused, held, connection } = followed;
  const { fitting, shown } = rates.value;
  const text =
    connection.value === "lost"
      ? t.lost
      : paused.value
        ? t.paused(waiting.value.length)
        : held.value
          ? t.held(waiting.value.length)
          : missing.value > 0
            ? t.missed(formatCount(missing.value))
            : fitting > shown * 1.01 + 0.1
              ? t.sampled(formatRate(shown), formatRate(fitting))
              : t.running(ROWS_MAX);
  return <p class="feed-state quiet">{text}</p>;
}

import { computed, effect, signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { PageOf } from "../../contract/common.ts";
import type { EventData } from "../../contract/events.ts";
import type { ReadingView } from "../../contract/reading.ts";
import { KINDS } from "../../model/kinds.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { request } from "../api/client.ts";
import { type Connection, openEventStream } from "../live/event-stream.ts";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check } from "../parts/fields.tsx";
import { Code } from "../parts/show.tsx";
import { Choice, Filters } from "../parts/table.tsx";
import { query, setQuery } from "../shell/router.ts";
import { forgetUser } from "../shell/session.ts";
import { formatUtc } from "../words/time.tsx";
import { districtName, formatValue, metricLabel } from "../words/words.ts";
import { formatClock, formatCount, formatRate } from "./formats.ts";
import {
  byReceipt,
  createFeedBuffer,
  type FeedFilter,
  fitsFeed,
  isFiltered,
  isSuspect,
  type Rates,
  ROWS_MAX,
  type Row,
  readFeedFilter,
} from "./readings.ts";

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
      <div class="feed-bar cluster">
        <Button
          aria-pressed={paused.value}
          onClick={() => {
            paused.value = !paused.value;
          }}
        >
          {paused.value ? t.resume : t.pause}
        </Button>
        <RateFigures followed={followed} />
        <StateLine followed={followed} />
      </div>
      <div class="feed-split">
        {rows.value.length > 0 ? (
          <ReadingTable followed={followed} chosen={chosen} choose={setChosen} />
        ) : (
          <p class="feed-empty box quiet">
            {connection.value === "lost" ? t.lost : isFiltered(filter.value) ? t.emptyFiltered : t.empty}
          </p>
        )}
        <ReadingDetails reading={chosen} close={() => setChosen(undefined)} />
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

/** What the feed is narrowed to. Every change is in the address at once. */
function FeedFilters({ filter }: { filter: FeedFilter }) {
  const { feed, words } = messages.value;
  const t = feed.live;
  const kinds = filter.kind ? [filter.kind] : KINDS;
  const metrics = [...new Set<MetricName>(kinds.flatMap((kind) => METRICS_OF[kind]))];
  return (
    <Filters text={filter.sensor} label={t.sensor} hint={t.sensorHint} onText={(sensor) => setQuery({ sensor })}>
      <Choice
        label={t.kind}
        value={filter.kind}
        among={KINDS}
        say={(one) => words.kind[one]}
        onChoose={(kind) => setQuery({ kind })}
      />
      <Choice
        label={t.district}
        value={filter.district}
        among={districts.value}
        say={districtName}
        onChoose={(district) => setQuery({ district })}
      />
      <Choice
        label={t.metric}
        value={filter.metric}
        among={metrics}
        say={metricLabel}
        onChoose={(metric) => setQuery({ metric })}
      />
      <Check
        label={t.onlySuspect}
        checked={filter.suspect}
        onChange={(on) => setQuery({ suspect: on ? "yes" : undefined })}
      />
    </Filters>
  );
}

type TableProps = {
  readonly followed: FollowedReadings;
  readonly chosen: ReadingView | undefined;
  readonly choose: (reading: ReadingView) => void;
};

/** The rows, newest first. While a pointer or the keyboard is in them, they stand still. */
function ReadingTable({ followed, chosen, choose }: TableProps) {
  const { feed } = messages.value;
  const t = feed.live;
  const hold = (on: boolean) => {
    followed.held.value = on;
  };
  const isTyping = (target: EventTarget) => (target as Element).matches(":focus-visible");
  return (
    <section
      class="feed-rows box table"
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
        {isSuspect(reading) && <span class="chip wrong">{t.suspect}</span>}
        {reading.quality?.measuredAt === "clock" && <span class="chip">{messages.value.sensor.clock}</span>}
        {reading.late && <span class="chip">{t.late}</span>} {describeValues(reading)}
      </td>
    </tr>
  );
}

const describeValues = ({ values }: ReadingView): string =>
  Object.entries(values)
    .map(([metric, value]) => `${metric} ${formatValue(value, metric as MetricName)}`)
    .join(" · ");

/** All that is known of one reading, as the API says it. */
function ReadingDetails({ reading, close }: { reading: ReadingView | undefined; close: () => void }) {
  const t = messages.value.feed.live;
  if (!reading) {
    return (
      <aside class="feed-one box stack" aria-label={t.details}>
        <p class="quiet">{t.detailsHint}</p>
      </aside>
    );
  }
  const text = JSON.stringify(reading, undefined, 2);
  return (
    <aside class="feed-one box stack chosen" aria-label={t.details}>
      <div class="section-head">
        <h2>{reading.sensorId}</h2>
        <CopyButton text={text} />
        <Button onClick={close}>{t.close}</Button>
      </div>
      <Code text={text} label={t.details} />
      <a href={`/sensors/${encodeURIComponent(reading.sensorId)}`}>{t.toSensor}</a>
    </aside>
  );
}

export function CopyButton({ text }: { text: string }) {
  const t = messages.value.feed.live;
  const [copied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [text]);
  // Browsers give the clipboard only to pages that came encrypted or from this machine.
  if (!navigator.clipboard) return null;
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return <Button onClick={() => void copy()}>{copied ? t.copied : t.copy}</Button>;
}

/** How often rows are added: calm enough to be read. */
const TURN_MS = 500;
/** The stream left readings out because this page was too slow: the newest ones are asked for, at most so often. */
const REFILL_EVERY_MS = 5_000;

/**
 * The live readings, on a stream of their own that is open while this part of the page is. While it is paused, or held
 * because someone is in the list, new rows wait beside it, so that nothing moves under a pointer.
 */
function followReadings() {
  const rows = signal<readonly Row[]>([]);
  const rates = signal<Rates>({ all: 0, fitting: 0, shown: 0 });
  const connection = signal<Connection>("connecting");
  const paused = signal(false);
  const held = signal(false);
  const waiting = signal<readonly Row[]>([]);
  /** Readings that were left out and are not in the list either. */
  const missing = signal(0);
  // The address changes with every part of the page: only what concerns the readings is looked at.
  const filter = computed(() => readFeedFilter(query.value));
  const isStill = computed(() => paused.value || held.value);
  const buffer = createFeedBuffer(TURN_MS, Math.random);

  const stream = openEventStream("/api/v1/events?readings=true", {
    onEvent({ event, data }) {
      if (event === "readings") buffer.take(JSON.parse(data) as EventData["readings"], filter.peek());
      else if (event === "missed") countMissed((JSON.parse(data) as EventData["missed"]).readings);
    },
    onConnection: (state) => {
      connection.value = state;
    },
    onOpen: () => {},
    onSignedOut: () => forgetUser(true),
  });

  let missed = 0;
  let refill: ReturnType<typeof setTimeout> | undefined;
  const over = new AbortController();

  function countMissed(readings: number): void {
    missed += readings;
    buffer.countMissed(readings, filter.peek());
    refill ??= setTimeout(askForNewest, 0);
  }

  /** The newest reading of every sensor, in place of those that were left out. Says nothing where that is all of them. */
  async function askForNewest(): Promise<void> {
    const count = missed;
    missed = 0;
    const { kind, district } = filter.peek();
    const narrowed = new URLSearchParams({ limit: "1000", ...(kind && { kind }), ...(district && { district }) });
    const page = await request<PageOf<ReadingView>>(
      "GET",
      `/readings/latest?${narrowed}`,
      undefined,
      over.signal,
    ).catch(
      () => undefined, // the list goes on without them, and says so
    );
    if (over.signal.aborted) return;
    const isWhole = page !== undefined && page.next === undefined;
    missing.value = isWhole ? 0 : count;
    show(buffer.fill(page?.items ?? [], filter.peek(), [...waiting.peek(), ...rows.peek()]), true);
    refill = setTimeout(() => {
      refill = undefined;
      missing.value = 0;
      if (missed > 0) countMissed(0);
    }, REFILL_EVERY_MS);
  }

  /** Puts rows where rows go now. What was asked for may be older than what is there. */
  function show(fresh: readonly Row[], isMixed = false): void {
    if (fresh.length === 0) return;
    const target = isStill.peek() ? waiting : rows;
    const all = [...fresh, ...target.peek()];
    target.value = (isMixed ? all.sort(byReceipt) : all).slice(0, ROWS_MAX);
  }

  const timer = setInterval(() => {
    const fresh = buffer.turn();
    rates.value = buffer.rates();
    show(fresh);
  }, TURN_MS);

  const letGo = effect(() => {
    if (isStill.value || waiting.value.length === 0) return;
    rows.value = [...waiting.peek(), ...rows.peek()].slice(0, ROWS_MAX);
    waiting.value = [];
  });
  const narrow = effect(() => {
    const wanted = filter.value;
    rows.value = rows.peek().filter(({ reading }) => fitsFeed(reading, wanted));
    waiting.value = waiting.peek().filter(({ reading }) => fitsFeed(reading, wanted));
  });
  const look = () => (document.visibilityState === "visible" ? stream.resume() : stream.pause());
  document.addEventListener("visibilitychange", look);

  return {
    rows,
    rates,
    connection,
    paused,
    held,
    waiting,
    missing,
    filter,
    close(): void {
      document.removeEventListener("visibilitychange", look);
      clearInterval(timer);
      clearTimeout(refill);
      over.abort();
      letGo();
      narrow();
      stream.close();
    },
  };
}

type FollowedReadings = ReturnType<typeof followReadings>;

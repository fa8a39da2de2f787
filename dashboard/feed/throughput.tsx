import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { StatusView } from "../../contract/status.ts";
import { request } from "../api/client.ts";
import type { ChartData, Point, Series } from "../chart/chart-data.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { messages } from "../messages/messages.ts";
import { Figures } from "../parts/show.tsx";
import { Problem } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { describeMs } from "../words/words.ts";
import { formatBytes, formatCount, formatRate } from "./formats.ts";
import { addSample, figureOf, lagOf, ratesOf, type Sample, sampleOf } from "./status-history.ts";

/** How much comes in, how much waits, and how each part of the service is. */
export function Throughput() {
  const t = messages.value.feed.throughput;
  const followed = useMemo(followStatus, []);
  useEffect(() => followed.close, [followed]);
  const { status, samples, problem } = followed;
  return (
    <>
      <p class="quiet">{t.intro}</p>
      <Problem of={problem.value} />
      {status.value ? (
        <>
          <Now status={status.value} samples={samples.value} />
          <Charts samples={samples.value} />
          <HealthTable status={status.value} />
        </>
      ) : (
        problem.value === undefined && <p class="quiet loading">{t.collecting}</p>
      )}
    </>
  );
}

function Now({ status, samples }: { status: StatusView; samples: readonly Sample[] }) {
  const { throughput: t, perSecond } = messages.value.feed;
  const last = (points: readonly Point[]) => points.at(-1)?.[1];
  const rate = (total: "messages" | "stored") => {
    const value = last(ratesOf(samples, total));
    return value === undefined ? "–" : perSecond(formatRate(value));
  };
  const rows: readonly (readonly [string, string])[] = [
    [t.messages, rate("messages")],
    [t.storedRate, rate("stored")],
    [t.lag, formatCount(Math.max(0, figureOf(status, "lamppost_consumer_lag_messages", "store")))],
    [t.storeLag, describeMs(Math.round(figureOf(status, "lamppost_store_lag_seconds")) * 1_000)],
    [t.journal, formatBytes(figureOf(status, "lamppost_journal_bytes"))],
    [t.connections, formatCount(figureOf(status, "lamppost_mqtt_connections"))],
    [t.streams, formatCount(figureOf(status, "lamppost_http_streams"))],
  ];
  return <Figures rows={rows} />;
}

function Charts({ samples }: { samples: readonly Sample[] }) {
  const t = messages.value.feed.throughput;
  const rates = useMemo(
    () =>
      chartOf(samples, [
        { label: t.messages, tone: "calm", points: ratesOf(samples, "messages"), dash: [4, 4] },
        { label: t.storedRate, tone: "accent", points: ratesOf(samples, "stored") },
        { label: t.repeated, tone: "warning", points: ratesOf(samples, "repeated") },
      ]),
    [samples, t],
  );
  const lag = useMemo(
    () =>
      chartOf(samples, [
        { label: t.consumers.store, tone: "accent", points: lagOf(samples, "store") },
        { label: t.consumers.alerts, tone: "warning", points: lagOf(samples, "alerts") },
        { label: t.consumers.live, tone: "calm", points: lagOf(samples, "live"), dash: [4, 4] },
      ]),
    [samples, t],
  );
  return (
    <div class="halves">
      <section>
        <h2>{t.rates}</h2>
        <TimeChart label={t.ratesLabel} title={t.ratesUnit} data={rates} />
      </section>
      <section>
        <h2>{t.lag}</h2>
        <TimeChart label={t.lagLabel} title={t.lagUnit} data={lag} />
        <p class="quiet">{t.lagHint}</p>
      </section>
    </div>
  );
}

const SHOWN_MIN_MS = 2 * 60_000;

/** From the first sample on, but never less than two minutes: a chart of ten seconds would jump about. */
function chartOf(samples: readonly Sample[], series: readonly Series[]): ChartData {
  const to = samples.at(-1)?.at ?? Date.now();
  return { from: Math.min(samples[0]?.at ?? to, to - SHOWN_MIN_MS), to, unit: "", series };
}

/** Each part in its own words; what to do stands there in the service's language. */
function HealthTable({ status }: { status: StatusView }) {
  const t = messages.value.feed.throughput;
  return (
    <section class="stack">
      <h2>{t.health}</h2>
      <p class={status.ready ? "feed-verdict good" : "feed-verdict bad"}>{status.ready ? t.ready : t.notReady}</p>
      <Table
        label={t.health}
        columns={[t.part, t.state, t.reason]}
        rows={status.parts.map(({ part, state, reason }) => ({
          key: part,
          cells: [part, <span class={`health ${state}`}>{t.states[state]}</span>, reason ?? "–"],
        }))}
      />
    </section>
  );
}

const ASK_EVERY_MS = 3_000;

/** Kept while the page lives, also when another part of it is looked at meanwhile. */
const samples = signal<readonly Sample[]>([]);

/** Asks every few seconds while it is open. */
function followStatus() {
  const status = signal<StatusView | undefined>(undefined);
  const problem = signal<unknown>(undefined);
  const over = new AbortController();

  async function ask(): Promise<void> {
    if (document.visibilityState !== "visible") return;
    try {
      const answer = await request<StatusView>("GET", "/status", undefined, over.signal);
      status.value = answer;
      samples.value = addSample(samples.peek(), sampleOf(answer));
      problem.value = undefined;
    } catch (error) {
      if (!over.signal.aborted) problem.value = error;
    }
  }

  void ask();
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);
  return {
    status,
    problem,
    samples,
    close(): void {
      clearInterval(timer);
      over.abort();
    },
  };
}

import { computed, effect, signal, untracked } from "@preact/signals";
import type { AlertView } from "../../contract/alert.ts";
import type { PageOf } from "../../contract/common.ts";
import type { SensorView } from "../../contract/reading.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import type { Rule } from "../../model/rule.ts";
import { matcherOf } from "../../model/rule-match.ts";
import { DAY_MS, HOUR_MS } from "../../model/time.ts";
import { eachPage, request } from "../api/client.ts";
import { byUrgency } from "../desk/list.ts";
import { corrected, isOpen, onAlertNews } from "../live/live.ts";
import { query, setQuery } from "../shell/router.ts";

export type WholeSensor = SensorView & {
  readonly tags: Readonly<Record<string, string>>;
  readonly intervalS?: number;
  readonly gateway?: string;
};

/** From minutes to a year: the service chooses how fine the figures are. */
export const SPANS: readonly (readonly [name: "1h" | "6h" | "1d" | "7d" | "30d" | "1y", ms: number])[] = [
  ["1h", HOUR_MS],
  ["6h", 6 * HOUR_MS],
  ["1d", DAY_MS],
  ["7d", 168 * HOUR_MS],
  ["30d", 720 * HOUR_MS],
  ["1y", 8_766 * HOUR_MS],
];
const ASK_EVERY_MS = 15_000;
const ALERTS_SHOWN = 20;

/** One sensor, looked at anew every 15 seconds while its page is open. `close` when it closes. */
export function followSensor(id: string) {
  const sensor = signal<WholeSensor | undefined>(undefined);
  const alerts = signal<readonly AlertView[]>([]);
  const rules = signal<readonly Rule[]>([]);
  const problem = signal<unknown>(undefined);
  const over = new AbortController();
  const path = encodeURIComponent(id);

  /** False until it is known what is wrong with it: the page opens on that. */
  const alertsAsked = signal(false);
  /** What the worst open alert is about, as it was when the page was opened: a chart does not change by itself. */
  const worstMetric = signal<string | undefined>(undefined);

  /** The metric in the address, else that of its worst open alert, else the first it sends. */
  const metric = computed<MetricName | undefined>(() => {
    const sent = sentBy(sensor.value);
    const wished = [query.value.get("metric"), worstMetric.value];
    return wished.map((one) => sent.find((name) => name === one)).find(Boolean) ?? sent[0];
  });

  async function ask(): Promise<void> {
    try {
      sensor.value = await request<WholeSensor>("GET", `/sensors/${path}`, undefined, over.signal);
      problem.value = undefined;
    } catch (error) {
      if (!over.signal.aborted) problem.value = error;
    }
  }

  async function askAlerts(): Promise<void> {
    const list = `/alerts?sensor=${path}&limit=${ALERTS_SHOWN}`;
    const { items } = await request<PageOf<AlertView>>("GET", list, undefined, over.signal);
    alerts.value = items;
    if (alertsAsked.peek()) return;
    const open = items.filter((one) => isOpen(one) && one.metric !== undefined);
    worstMetric.value = open.sort(byUrgency)[0]?.metric;
  }

  async function askRules(): Promise<void> {
    const all: Rule[] = [];
    await eachPage<Rule>("/rules", (items) => all.push(...items), over.signal);
    const own = sensor.peek();
    if (own) rules.value = all.filter((rule) => matcherOf(rule)(own));
  }

  // What is missing beside the sensor itself is no reason to show nothing.
  const quietly = (work: Promise<void>) => void work.catch(() => {});
  void ask().then(() => quietly(askRules()));
  quietly(askAlerts().finally(() => (alertsAsked.value = true)));
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);
  const stop = onAlertNews(({ alert }) => {
    if (alert.subject.sensorId === id) quietly(askAlerts());
  });
  const known = corrected.peek().get(id);
  const stopCorrected = effect(() => {
    if (corrected.value.get(id) === known) return;
    untracked(() => {
      void ask();
      quietly(askAlerts());
    });
  });

  return {
    sensor,
    alerts,
    rules,
    problem,
    metric,
    alertsAsked,
    choose: (name: string) => setQuery({ metric: name }),
    /** It was changed here. */
    reload(): void {
      void ask().then(() => quietly(askRules()));
      quietly(askAlerts());
    },
    close(): void {
      over.abort();
      clearInterval(timer);
      stopCorrected();
      stop();
    },
  };
}

export type FollowedSensor = ReturnType<typeof followSensor>;

/** The metrics of which a newest value is known, in the order of the table of metrics. */
export function sentBy(sensor: WholeSensor | undefined): MetricName[] {
  if (!sensor) return [];
  return METRICS_OF[sensor.kind].filter((name) => newestValue(sensor, name) !== undefined);
}

type NewestValue = { readonly value: number; readonly quality?: string | undefined; readonly measuredAt?: string };

/** `measuredAt`: of a value that came before the newest reading. */
export function newestValue({ latest }: WholeSensor, name: MetricName): NewestValue | undefined {
  const value = latest?.values[name];
  return value === undefined ? latest?.earlier?.[name] : { value, quality: latest?.quality?.[name] };
}

export type Span = { readonly from: number; readonly to: number; readonly name?: string };

/** What the address asks for: `?span=7d` ends now, `?from&to` stays. Without anything, a day. */
export function spanOf(asked: URLSearchParams, now: number): Span {
  const [from, to] = [Number(asked.get("from")), Number(asked.get("to"))];
  if (from > 0 && to > from) return { from, to };
  const [name, ms] = SPANS.find(([one]) => one === asked.get("span")) ?? SPANS[2]!;
  return { from: now - ms, to: now, name };
}

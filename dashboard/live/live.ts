import { computed, effect, signal } from "@preact/signals";
import type { EventSourceMessage } from "eventsource-parser";
import type { AlertView } from "../../contract/alert.ts";
import type { EventData, EventName } from "../../contract/events.ts";
import type { SensorView } from "../../contract/reading.ts";
import { eachPage, request } from "../api/client.ts";
import { badge, sound } from "../shell/preferences.ts";
import { forgetUser, user } from "../shell/session.ts";
import { type Connection, openEventStream, type StreamPorts } from "./event-stream.ts";

/** What an event of the stream says of an alert. */
type AlertNews = EventData["alert"];

export const connection = signal<Connection>("connecting");
/** Since when nothing comes any more (epoch milliseconds). */
export const lostSince = signal<number | undefined>(undefined);
/** Every alert known here by id: the open ones, and those that ended while the page was open. */
export const alerts = signal<ReadonlyMap<string, AlertView>>(new Map());
/** False until the first answer is there. */
export const alertsLoaded = signal(false);
/** False while pages of the list are still on their way. */
export const alertsComplete = signal(false);
export const sensors = signal<ReadonlyMap<string, SensorView>>(new Map());
export const sensorsLoaded = signal(false);
/** "district-2" before "district-10". */
const inOrder = new Intl.Collator("en", { numeric: true }).compare;
/** Where there are sensors. */
export const districts = computed(() =>
  [...new Set([...sensors.value.values()].map((one) => one.district))].sort(inOrder),
);
/** Why the last load failed, if it did. */
export const loadFailed = signal<unknown>(undefined);

/** The alerts someone should look at: they fire, and nobody has closed them. */
const OPEN_ALERTS = "/alerts?mode=live&state=firing&handling=open,acknowledged,in-progress";
export function isOpen(alert: AlertView): boolean {
  return alert.state === "firing" && alert.handling !== "closed" && alert.mode === undefined;
}

/** News come in bursts; the screen changes at most so often. */
const BATCH_MS = 100;
/** Ended alerts are kept for the rows that still show them, up to so many. */
const ENDED_MAX = 2_000;
/** After that long out of sight, a page that need not call anyone lets its connection go: a browser has only six. */
const HIDDEN_MS = 5 * 60_000;

/** How often what is known of a sensor's readings was corrected while the page was open: what it shows is read anew. */
export const corrected = signal<ReadonlyMap<string, number>>(new Map());

const listeners = new Set<(news: AlertNews) => void>();
/** Subscription every change of an alert as it comes; returns how to stop. */
export function onAlertNews(listener: (news: AlertNews) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Goes up when what was shown may be wrong because changes in between are lost: load it anew. The list here does so by itself. */
export const resets = signal(0);

/** Runs for as long as someone is signed in, from the first page that needs it: `isNeeded` reads signals. Call it once. */
export function startLive(isNeeded: () => boolean): void {
  let stop: (() => void) | undefined;
  effect(() => {
    const someone = user.value !== undefined;
    if (someone && !stop && isNeeded()) stop = connect();
    else if (!someone && stop) {
      stop();
      stop = undefined;
    }
  });
}

function connect(): () => void {
  const over = new AbortController();
  let queue: AlertView[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** While a snapshot is on its way, news wait: a page of it may be older than they are. */
  let loading = false;
  const asked = new Set<string>();

  function flush(): void {
    timer = undefined;
    if (loading || queue.length === 0) return;
    const next = new Map(alerts.value);
    for (const alert of queue) if (isOpen(alert) || next.has(alert.id)) next.set(alert.id, alert);
    queue = [];
    alerts.value = forgetEnded(next);
  }

  function hear({ event, data }: EventSourceMessage): void {
    // What was read together with a reset.
    if (!stream) return;
    if (event === ("reset" satisfies EventName)) return reset();
    if (event === "correction") return hearCorrection(JSON.parse(data) as EventData["correction"]);
    if (event !== ("alert" satisfies EventName)) return;

import { batch, computed, effect, signal } from "@preact/signals";
import type { EventSourceMessage } from "eventsource-parser";
import type { AlertView } from "../../contract/alert.ts";
import type { DistrictView } from "../../contract/district.ts";
import type { EventData, EventName } from "../../contract/events.ts";
import type { HandoverView } from "../../contract/handover.ts";
import type { IncidentView } from "../../contract/incident.ts";
import type { SensorView } from "../../contract/reading.ts";
import { eachPage, request } from "../api/client.ts";
import { badge, sound } from "../shell/preferences.ts";
import { forgetUser, user } from "../shell/session.ts";
import { districtNames } from "../words/words.ts";
import { type Connection, openEventStream, type StreamPorts } from "./event-stream.ts";

/** What an event of the stream says of an alert. */
type AlertNews = EventData["alert"];

export const connection = signal<Connection>("connecting");
/** Since when nothing comes any more (epoch milliseconds). */
export const lostSince = signal<number | undefined>(undefined);
/** Every alert known here by id: the open ones, and those that ended while the page was open. */
export const alerts = signal<ReadonlyMap<string, AlertView>>(new Map());
/** The incidents that those alerts are of, by id. */
export const incidents = signal<ReadonlyMap<string, IncidentView>>(new Map());
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
const OPEN_INCIDENTS = "/incidents?state=firing";
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

/** The note of a shift that was written or read last, while the page was open. */
export const handoverNews = signal<HandoverView | undefined>(undefined);

type IncidentNews = EventData["incident"];
const incidentListeners = new Set<(news: IncidentNews) => void>();
/** Every change of an incident as it comes; returns how to stop. */
export function onIncidentNews(listener: (news: IncidentNews) => void): () => void {
  incidentListeners.add(listener);
  return () => void incidentListeners.delete(listener);
}

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
  let queue: (AlertView | IncidentNews)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** While a snapshot is on its way, news wait: a page of it may be older than they are. */
  let loading = false;
  const asked = new Set<string>();

  function flush(): void {
    timer = undefined;
    if (loading || queue.length === 0) return;
    const next = new Map(alerts.value);
    const known = new Map(incidents.value);
    for (const one of queue) {
      if ("joined" in one) gather(one, next, known);
      else if (isOpen(one) || next.has(one.id)) next.set(one.id, one);
    }
    queue = [];
    batch(() => {
      incidents.value = known;
      alerts.value = forgetEnded(next);
    });
  }

  function hear({ event, data }: EventSourceMessage): void {
    // What was read together with a reset.
    if (!stream) return;
    if (event === ("reset" satisfies EventName)) return reset();
    if (event === "correction") return hearCorrection(JSON.parse(data) as EventData["correction"]);
    if (event === "incident") return hearIncident(JSON.parse(data) as IncidentNews);
    if (event === "handover") {
      handoverNews.value = (JSON.parse(data) as EventData["handover"]).note;
      return;
    }
    if (event !== "alert") return;
    const news = JSON.parse(data) as AlertNews;
    queue.push(news.alert);
    for (const listener of listeners) listener(news);
    learnSensor(news.alert.subject.sensorId);
    timer ??= setTimeout(flush, BATCH_MS);
  }

  function hearCorrection({ correction: { sensorId } }: EventData["correction"]): void {
    corrected.value = new Map(corrected.peek()).set(sensorId, (corrected.peek().get(sensorId) ?? 0) + 1);
    if (sensors.peek().has(sensorId)) refreshSensor(sensorId, over.signal);
  }

  function hearIncident(news: IncidentNews): void {
    queue.push(news);
    for (const listener of incidentListeners) listener(news);
    timer ??= setTimeout(flush, BATCH_MS);
  }

  /** A sensor that came after the list was loaded. */
  function learnSensor(id: string | undefined): void {
    if (id === undefined || !sensorsLoaded.peek() || sensors.peek().has(id) || asked.has(id)) return;
    asked.add(id);
    refreshSensor(id, over.signal);
  }

  /** Answers where the stream should begin to miss nothing. */
  async function load(): Promise<string | undefined> {
    loading = true;
    let eventId: string | undefined;
    try {
      // What needs someone comes first on a slow line; their places on the map after that.
      const onFirstPage = () => void loadSensors(over.signal).catch(() => {}); // the next load tries again
      eventId = await loadAlerts(over.signal, onFirstPage);
      await loadIncidents(over.signal);
      loadFailed.value = undefined;
    } catch (error) {
      if (!over.signal.aborted) loadFailed.value = error;
    }
    loading = false;
    flush();
    return eventId;
  }

  const ports: StreamPorts = {
    onEvent: hear,
    onConnection(state) {
      connection.value = state;
      if (state !== "lost") lostSince.value = undefined;
      else lostSince.value ??= Date.now();
    },
    // Without a place to begin, what was loaded may be older than the stream.
    onOpen: (resumed) => void (resumed || loading || load()),
    onSignedOut: () => forgetUser(true),
  };
  let stream: ReturnType<typeof openEventStream> | undefined;
  function open(): void {
    void load().then((eventId) => {
      if (!over.signal.aborted) stream = openEventStream("/api/v1/events", ports, eventId);
    });
  }

  /** What has come since the gap may be older than what is loaded now: it is thrown away, and the stream begins there. */
  function reset(): void {
    stream?.close();
    stream = undefined;
    queue = [];
    resets.value += 1;
    open();
  }

  open();
  const stopWatching = pauseWhenHidden(() => stream);
  return () => {
    over.abort();
    clearTimeout(timer);
    stopWatching();
    stream?.close();
    alerts.value = new Map();
    incidents.value = new Map();
    alertsLoaded.value = false;
    alertsComplete.value = false;
    sensorsLoaded.value = false;
  };
}

/** Alerts say themselves of which incident they are only when something else happens to them. */
function gather(news: IncidentNews, known: Map<string, AlertView>, all: Map<string, IncidentView>): void {
  const { incident, joined, left, absorbed } = news;
  const put = (id: string, into: string | undefined) => {
    const alert = known.get(id);
    if (!alert) return;
    const { incident: _, ...alone } = alert;
    known.set(id, into === undefined ? alone : { ...alone, incident: into });
  };
  const former = new Set(absorbed);
  if (former.size > 0)
    for (const { id, incident: of } of known.values()) if (of && former.has(of)) put(id, incident.id);
  for (const id of absorbed) all.delete(id);
  for (const id of left) if (known.get(id)?.incident === incident.id) put(id, undefined);
  for (const id of joined) put(id, incident.id);
  if (incident.state === "firing") all.set(incident.id, incident);
  else all.delete(incident.id);
}

async function loadIncidents(signal: AbortSignal): Promise<void> {
  const fresh = new Map<string, IncidentView>();
  await eachPage<IncidentView>(OPEN_INCIDENTS, (items) => items.forEach((one) => void fresh.set(one.id, one)), signal);
  incidents.value = fresh;
}

async function loadAlerts(signal: AbortSignal, onFirstPage: () => void): Promise<string | undefined> {
  const fresh = new Map<string, AlertView>();
  const first = !alertsLoaded.peek();
  let pages = 0;
  const eventId = await eachPage<AlertView>(
    OPEN_ALERTS,
    (items) => {
      for (const alert of items) if (isOpen(alert)) fresh.set(alert.id, alert);
      pages += 1;
      if (pages === 1) onFirstPage();
      if (!first) return;
      alerts.value = new Map(fresh);
      alertsLoaded.value = true;
    },
    signal,
  );
  alerts.value = fresh;
  alertsLoaded.value = true;
  alertsComplete.value = true;
  return eventId;
}

/** Asks for one sensor again: what it last said may be old by now. */
export function refreshSensor(id: string, signal?: AbortSignal): void {
  request<SensorView>("GET", `/sensors/${encodeURIComponent(id)}`, undefined, signal).then(
    (sensor) => {
      sensors.value = new Map(sensors.peek()).set(id, sensor);
    },
    () => {}, // removed again, or away: what was known stays
  );
}

/** All of them anew: many were added or changed. */
export async function loadSensors(signal?: AbortSignal): Promise<void> {
  const fresh = new Map<string, SensorView>();
  await eachPage<SensorView>("/sensors", (items) => items.forEach((one) => void fresh.set(one.id, one)), signal);
  sensors.value = fresh;
  sensorsLoaded.value = true;
  await loadDistrictNames(signal);
}

/** How people call the districts. */
export async function loadDistrictNames(signal?: AbortSignal): Promise<void> {
  const named: [string, string][] = [];
  const take = (items: readonly DistrictView[]) =>
    items.forEach(({ district, name }) => void (name && named.push([district, name])));
  await eachPage<DistrictView>("/districts", take, signal);
  districtNames.value = new Map(named);
}

function forgetEnded(known: Map<string, AlertView>): Map<string, AlertView> {
  const ended = [...known.values()].filter((alert) => !isOpen(alert));
  for (const { id } of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) known.delete(id);
  return known;
}

function pauseWhenHidden(stream: () => { pause(): void; resume(): void } | undefined): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  function look(): void {
    clearTimeout(timer);
    if (document.visibilityState === "visible") stream()?.resume();
    else if (!sound.value && !badge.value) timer = setTimeout(() => stream()?.pause(), HIDDEN_MS);
  }
  document.addEventListener("visibilitychange", look);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
}

const NEIGHBOURS_MAX = 4;

/** The nearest of the same kind and district; in no order where nobody knows where they are. */
export function neighboursOf(id: string): SensorView[] {
  const own = sensors.peek().get(id);
  if (!own) return [];
  const others = [...sensors.peek().values()].filter(
    (one) => one.id !== id && one.kind === own.kind && one.district === own.district,
  );
  return others.sort((a, b) => distance(own, a) - distance(own, b)).slice(0, NEIGHBOURS_MAX);
}

/** Only to compare: degrees of latitude, longitude shortened to them. */
function distance(a: SensorView, b: SensorView): number {
  if (a.lat === undefined || a.lon === undefined || b.lat === undefined || b.lon === undefined) return Number.MAX_VALUE;
  return Math.hypot(a.lat - b.lat, (a.lon - b.lon) * Math.cos((a.lat * Math.PI) / 180));
}

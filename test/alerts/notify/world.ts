import type { SendMail } from "../../../alerts/channels/channel.ts";
import type { HttpAnswer, HttpPost } from "../../../alerts/notify/http-post.ts";
import type { Later } from "../../../alerts/notify/lane.ts";
import { createNotifier } from "../../../alerts/notify/notifier.ts";
import type { Alert, Notice } from "../../../model/alert.ts";
import { SILENT } from "../../../model/log.ts";
import type { Target } from "../../../model/target.ts";
import { openRecords, type Records } from "../../../store/records.ts";
import { T0 } from "../builders.ts";

export function anAlert(fields: Partial<Alert> = {}): Alert {
  return {
    id: "al-1",
    rule: { id: "no2-high", version: "1", title: "NO2 is high", source: "EU 2024/2881" },
    subject: { sensorId: "no2-1", district: "north" },
    kind: "air",
    severity: "warning",
    audience: "operators",
    state: "firing",
    handling: "open",
    startedAt: T0,
    firedAt: T0,
    explanation: "NO2 was 210 µg/m³ for an hour; the limit is 200.",
    evidence: [],
    timeline: [],
    ...fields,
  };
}

export function aNotice(alert: Partial<Alert> = {}, what: Notice["what"] = "firing", at = T0): Notice {
  const full = anAlert({ ...(what === "resolved" ? { state: "resolved", resolvedAt: at } : {}), ...alert });
  return { id: `${full.id}:${what}`, at, what, alert: full };
}

export function aTarget(fields: Partial<Target> = {}): Target {
  const common = { name: `Target ${fields.id ?? "hook"}`, type: "webhook", url: "https://hooks.example/a" } as const;
  const defaults = { severityMin: "info", groupWait: "30s", enabled: true, createdAt: T0, createdBy: "admin" } as const;
  return { id: "hook", ...common, ...defaults, ...fields };
}

/** What the other side does with a request: a status, an answer, or an error; a promise of it takes its time. */
type Reply = number | HttpAnswer | Error;
export type Play = (request: HttpPost, nth: number) => Reply | Promise<Reply>;

/** The notifier on records in RAM and a clock that only the test moves. */
/** `ticks`: so many milliseconds pass at every look at the clock. */
export function createWorld(
  options: { random?: () => number; records?: Records; ticks?: number; isMuted?: () => boolean; mail?: SendMail } = {},
) {
  let now = T0;
  const clock = () => (now += options.ticks ?? 0);
  let timers: { at: number; work: () => void }[] = [];
  const records = options.records ?? openRecords({ path: ":memory:", now: () => now, log: SILENT });
  const plays = new Map<string, Play>();
  const requests: (HttpPost & { at: number })[] = [];
  const published: { topic: string; payload: string }[] = [];

  const later: Later = (ms, work) => {
    const timer = { at: now + ms, work };
    timers.push(timer);
    return () => {
      timers = timers.filter((one) => one !== timer);
    };
  };

  async function post(request: HttpPost): Promise<HttpAnswer> {
    requests.push({ ...request, at: now });
    const nth = requests.filter(({ url }) => url === request.url).length;
    const reply = await (plays.get(request.url) ?? (() => 200))(request, nth);
    if (reply instanceof Error) throw reply;
    return typeof reply === "number" ? { status: reply } : reply;
  }

  function life() {
    const publish = async (message: (typeof published)[number]) => void published.push(message);
    const ports = { post, publish, ...(options.mail && { mail: options.mail }) };
    const random = options.random ?? (() => 1);
    const { isMuted } = options;
    return createNotifier({ records, ports, now: clock, random, log: SILENT, later, timeoutMs: 60_000, isMuted });
  }
  const notifier = life();

  /** Lets everything that is due happen, in order of time. */
  async function run(ms = 0): Promise<void> {
    const until = now + ms;
    for (;;) {
      await settled();
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      timers = timers.filter((one) => one !== next);
      now = Math.max(now, next.at);
      next.work();
    }
    now = until;
    await settled();
  }

  return {
    records,
    notifier,
    /** Another life on the same records. */
    life,
    requests,
    published,
    now: () => now,
    play: (url: string, play: Play) => void plays.set(url, play),
    run,
    enqueue: (...notices: Notice[]) =>
      records.transaction(() => {
        for (const notice of notices) notifier.enqueue(notice);
      }),
    /** "alert.firing al-1 @30s", in the order of the requests. */
    told: (url = "https://hooks.example/a") =>
      requests.filter((one) => one.url === url).map(({ body, at }) => `${lineOf(body)} @${(at - T0) / 1_000}s`),
  };
}

/** Promises that are done follow each other without timers: a few turns of the loop are enough for all of them. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export function lineOf(body: string): string {
  const { type, data } = JSON.parse(body);
  return Array.isArray(data)
    ? `${type} ${data.map((one) => `${one.type.slice(6)} ${one.data.id}`).join(", ")}`
    : `${type} ${data.id}`;
}

import mqtt from "mqtt";
import type { City } from "../helpers/city.ts";
import { DISTRICT, type Login } from "../helpers/senders.ts";

/** Below 20 % is an alert, below 10 % (said twice, being critical) a second one; above 30 % both are over. */
const BATTERY = [80, 15, 60, 5, 5] as const;
const PAUSE_MS = 15;

type Told = { readonly measuredAt: number; readonly battery: number };
/** A line of the alert table, as short as it can be compared. */
export type AlertLine = string;

export type Alarm = Awaited<ReturnType<typeof createAlarm>>;

/**
 * A device whose battery goes up and down over the limits, one reading after the other, each sent until it is
 * acknowledged: so it is known exactly which alerts there must be, and when each began and ended.
 */
export async function createAlarm(city: City) {
  const sensorId = "alarm";
  const login: Login = await city.api("/devices", { sensorId, kind: "air", district: DISTRICT });
  const told: Told[] = [];
  let waiting: Told | undefined;

  const next = (): Told => ({
    measuredAt: Math.max((told.at(-1)?.measuredAt ?? 0) + 1, Date.now()),
    battery: BATTERY[told.length % BATTERY.length]!,
  });

  /** Sends until the connection ends or `enough` says so; what was not acknowledged is the first to be sent again. */
  async function run(city: City, enough: () => boolean): Promise<void> {
    const client = mqtt.connect(city.mqtt, { clientId: login.username, ...login, reconnectPeriod: 0 });
    const closed = new Promise<false>((resolve) => void client.once("close", () => resolve(false)));
    client.on("error", () => {});
    const connected = new Promise<true>((resolve) => void client.once("connect", () => resolve(true)));
    let alive = await Promise.race([connected, closed]);
    while (alive && !(enough() && waiting === undefined)) {
      waiting ??= next();
      const sent = client.publishAsync(`city/${DISTRICT}/air/${sensorId}`, JSON.stringify(waiting), { qos: 1 });
      const kept = sent.then(
        () => true,
        () => false,
      );
      alive = await Promise.race([kept, closed]);
      if (!alive) break;
      told.push(waiting);
      waiting = undefined;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    client.end(true);
  }

  return { sensorId, told: told as readonly Told[], run, expected: () => expectedAlerts(told) };
}

function expectedAlerts(told: readonly Told[]): AlertLine[] {
  const lines: AlertLine[] = [];
  told.forEach(({ measuredAt, battery }, index) => {
    const before = told[index - 1]?.battery ?? 100;
    const over = told.slice(index + 1, index + 4).find((later) => later.battery > 30)?.measuredAt;
    if (battery < 20 && before > 30) lines.push(alertLine("battery-low", measuredAt, over));
    if (battery < 10 && before < 10) lines.push(alertLine("battery-critical", measuredAt, over));
  });
  return lines.sort();
}

function alertLine(rule: string, from: number, to: number | undefined): AlertLine {
  const entries = [`firing ${iso(from)}`, ...(to === undefined ? [] : [`resolved ${iso(to)}`])];
  return `${rule} ${to === undefined ? "firing" : "resolved"}: ${entries.join(", ")}`;
}

const iso = (time: number) => new Date(time).toISOString();

/** The alerts the service has of the sensor's battery, in the same words, whether told or (it flaps) not. A doubled alert or entry shows as a line more or a longer one. */
export async function toldAlerts(city: City, sensorId: string): Promise<AlertLine[]> {
  const lines: AlertLine[] = [];
  for (const rule of ["battery-low", "battery-critical"]) {
    let cursor = "";
    do {
      const page = await city.api(`/alerts?sensor=${sensorId}&rule=${rule}&limit=1000${cursor}`);
      for (const { state, timeline } of page.items) {
        const entries = (timeline as { what: string; at: string }[])
          .filter(({ what }) => what !== "suppressed" && what !== "released")
          .map(({ what, at }) => `${what} ${at}`);
        lines.push(`${rule} ${state}: ${entries.join(", ")}`);
      }
      cursor = page.next === undefined ? "" : `&cursor=${encodeURIComponent(page.next)}`;
    } while (cursor !== "");
  }
  return lines.sort();
}

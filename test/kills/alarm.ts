import mqtt from "mqtt";
import type { City } from "../helpers/city.ts";
import { DISTRICT, type Login } from "../helpers/senders.ts";

/** Below 20 % is an alert, which is raised below 10 % (said twice, being critical); above 30 % it is over. */
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
    if (!(battery < 20 && before > 30)) return;
    const next = told[index + 1];
    const raised = battery < 10 && next && next.battery < 10 ? next.measuredAt : undefined;
    const over = told.slice(index + 1, index + 4).find((later) => later.battery > 30)?.measuredAt;
    lines.push(alertLine(measuredAt, raised, over));
  });
  return lines.sort();
}

const RULE = "battery-level";

function alertLine(from: number, raised: number | undefined, to: number | undefined): AlertLine {
  const entries = [
    `firing ${iso(from)}`,
    ...(raised === undefined ? [] : [`raised ${iso(raised)}`]),
    ...(to === undefined ? [] : [`resolved ${iso(to)}`]),
  ];
  return `${RULE} ${to === undefined ? "firing" : "resolved"}: ${entries.join(", ")}`;
}

const iso = (time: number) => new Date(time).toISOString();

/** The alerts the service has of the sensor's battery, in the same words, whether told or (it flaps) not. A doubled alert or entry shows as a line more or a longer one. */
export async function toldAlerts(city: City, sensorId: string): Promise<AlertLine[]> {
  const lines: AlertLine[] = [];
  let cursor = "";
  do {
    const page = await city.api(`/alerts?sensor=${sensorId}&rule=${RULE}&limit=1000${cursor}`);
    for (const { state, timeline } of page.items) {
      const entries = (timeline as { what: string; at: string }[])
        .filter(({ what }) => what !== "suppressed" && what !== "released")
        .map(({ what, at }) => `${what} ${at}`);
      lines.push(`${RULE} ${state}: ${entries.join(", ")}`);
    }
    cursor = page.next === undefined ? "" : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== "");
  return lines.sort();
}

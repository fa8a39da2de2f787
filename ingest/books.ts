import { isWorldFault } from "../model/background.ts";
import { addValueSums, type LedgerOutcome, type LedgerRow, noValues, type ValueSums } from "../model/ledger.ts";
import type { Log } from "../model/log.ts";
import type { Reading } from "../model/reading.ts";
import { bookedSensor, type Rejection } from "../model/rejection.ts";
import { DAY_MS, dateOf, startOfDay, startOfHour } from "../model/time.ts";
import type { RollupPart } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";

/**
 * Gathers what became of the items of one batch and answers it as ledger rows: by UTC day of receipt, sensor and
 * outcome. Each item counts once as `received` and once as its outcome, so the rows balance by construction.
 */
export function createBooks() {
  const days = new Map<number, Map<string, Map<LedgerOutcome, number>>>();
  const values = new Map<number, Map<string, ValueSums>>();

  function count(item: Pick<Rejection, "receivedAt" | "sensorId" | "unregistered">, outcome: LedgerOutcome): void {
    const sensors = entry(days, Math.floor(item.receivedAt / DAY_MS));
    const outcomes = entry(sensors, bookedSensor(item));
    outcomes.set("received", (outcomes.get("received") ?? 0) + 1);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  /** Beside the items. What a sensor's items have to be counted, too. */
  function countValues(at: Pick<Rejection, "receivedAt" | "sensorId">, more: Readonly<Partial<ValueSums>>): void {
    const sensors = entry(values, Math.floor(at.receivedAt / DAY_MS));
    const sums = sensors.get(at.sensorId ?? "") ?? noValues();
    sensors.set(at.sensorId ?? "", sums);
    addValueSums(sums, more);
  }

  /** Messages that were kept and cannot be read any more: nobody knows what was in them. */
  function lose(messages: number, receivedAt: number): void {
    const outcomes = entry(entry(days, Math.floor(receivedAt / DAY_MS)), "");
    outcomes.set("lost", (outcomes.get("lost") ?? 0) + messages);
  }

  function rows(): LedgerRow[] {
    const all: LedgerRow[] = [];
    for (const [number, sensors] of days) {
      const day = dateOf(number * DAY_MS);
      for (const [sensorId, outcomes] of sensors) {
        const own = values.get(number)?.get(sensorId);
        for (const [outcome, count] of outcomes)
          all.push({ day, sensorId, outcome, count, ...(own && outcome === "received" && { values: own }) });
      }
    }
    return all;
  }

  return { count, countValues, lose, rows };
}

function entry<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const there = map.get(key);
  if (there) return there;
  const made = new Map<L, V>();
  map.set(key, made);
  return made;
}

/**
 * Books what the broker let go. What the records refuse (a full disk) waits for the next time; what waits when the
 * process is killed is in neither side of the books, as if it had not come.
 */
export function createShedBooks(
  records: { readonly ledger: Pick<Records["ledger"], "add">; readonly sensors: Pick<Records["sensors"], "get"> },
  now: () => number,
  log: Log,
): (shed: readonly { readonly sensorId: string; readonly count: number }[]) => void {
  const waiting = new Map<string, LedgerRow>();
  let failing = false;
  return (shed) => {
    const day = dateOf(now());
    for (const { sensorId: named, count } of shed) {
      const sensorId = records.sensors.get(named) ? named : ""; // a gateway may invent names
      const key = `${day} ${sensorId}`;
      waiting.set(key, { day, sensorId, outcome: "shed", count: (waiting.get(key)?.count ?? 0) + count });
    }
    try {
      records.ledger.add(waiting.values());
      waiting.clear();
      failing = false;
    } catch (error) {
      if (!isWorldFault(error)) throw error;
      if (!failing) log.error({ err: error }, "messages let go under pressure cannot be booked; tried again");
      failing = true;
    }
  };
}

/** Gathers the hours of a batch whose rollups its readings change: few, however many readings. */
export function createTouchedHours() {
  const parts = new Map<string, RollupPart>();
  let last: RollupPart | undefined;

  function note({ kind, measuredAt, receivedAt }: Pick<Reading, "kind" | "measuredAt" | "receivedAt">): void {
    const start = startOfHour(measuredAt);
    const receivedDay = startOfDay(receivedAt);
    // Neighbours mostly share their hour: no text is made for them.
    if (last && last.start === start && last.kind === kind && last.receivedDay === receivedDay) return;
    last = { kind, resolution: "hourly", start, receivedDay };
    parts.set(`${kind} ${start} ${receivedDay}`, last);
  }
  return { note, parts: () => parts.values() };
}

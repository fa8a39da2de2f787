import { type City, until } from "../helpers/city.ts";
import { BASE, settledBooks } from "../helpers/senders.ts";
import { type Alarm, toldAlerts } from "./alarm.ts";
import type { Promises } from "./crowd.ts";

/** What became of the promises. `rows` is what the API lists, `booked` what the ledger calls stored. */
export type Reckoning = {
  readonly published: number;
  readonly acknowledged: number;
  readonly rows: number;
  readonly booked: number;
  readonly duplicates: number;
  readonly lost: number;
  readonly doubled: number;
  readonly balanced: boolean;
  readonly alerts: number;
  readonly alertsLost: number;
  readonly alertsDoubled: number;
};

/** Waits until the service has taken everything in, then compares what was promised with what the API tells. */
export async function reckon(city: City, promises: readonly Promises[], alarm: Alarm): Promise<Reckoning> {
  const books = await settledBooks(city, 120_000);
  const sums = { published: 0, acknowledged: 0, rows: 0, lost: 0, doubled: 0 };
  const add = (published: number, one: Compared) => {
    sums.published += published;
    for (const key of ["acknowledged", "rows", "lost", "doubled"] as const) sums[key] += one[key];
  };
  for (const { sensorId, acked, next } of promises)
    add(next, await compare(city, sensorId, BASE, acked.subarray(0, next)));
  add(alarm.told.length, await compareAlarm(city, alarm));
  return {
    ...sums,
    booked: books.stored,
    duplicates: books.duplicate,
    balanced: books.balanced,
    ...(await compareAlerts(city, alarm)),
  };
}

type Compared = {
  readonly acknowledged: number;
  readonly rows: number;
  readonly lost: number;
  readonly doubled: number;
};

/** `acked[n]`: whether the reading of `from + n` ms was acknowledged. */
async function compare(city: City, sensorId: string, from: number, acked: Uint8Array): Promise<Compared> {
  const seen = new Uint8Array(acked.length);
  const sums = { acknowledged: 0, rows: 0, lost: 0, doubled: 0 };
  for await (const time of listTimes(city, sensorId, from, from + acked.length)) {
    sums.rows += 1;
    if (seen[time - from]) sums.doubled += 1;
    seen[time - from] = 1;
  }
  acked.forEach((isAcked, index) => {
    sums.acknowledged += isAcked;
    if (isAcked && !seen[index]) sums.lost += 1;
  });
  return sums;
}

async function compareAlarm(city: City, { sensorId, told }: Alarm): Promise<Compared> {
  const from = told[0]!.measuredAt;
  const acked = new Uint8Array(told.at(-1)!.measuredAt + 1 - from);
  for (const { measuredAt } of told) acked[measuredAt - from] = 1;
  return compare(city, sensorId, from, acked);
}

/** The CSV of a range, read line by line: a long run has more of it than should be in memory. */
async function* listTimes(city: City, sensorId: string, from: number, to: number): AsyncGenerator<number> {
  const response = await city.call(`/api/v1/sensors/${sensorId}/readings?from=${from}&to=${to}&format=csv`);
  if (!response.ok) throw new Error(`${sensorId}: ${response.status} ${await response.text()}`);
  let column: number | undefined;
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>) {
    const lines = (rest + text).split("\r\n");
    rest = lines.pop()!;
    for (const line of lines) {
      const cells = line.split(",");
      if (column === undefined) column = cells.indexOf("measuredAt");
      else yield Date.parse(cells[column]!);
    }
  }
}

async function compareAlerts(city: City, alarm: Alarm) {
  const expected = alarm.expected();
  await until(
    async () => (await city.call("/metrics")).text(),
    // Taken from the journal, and judged: what was above its sender's share waits for its turn, also across a kill.
    (figures) =>
      /^lamppost_consumer_lag_messages\{consumer="alerts"\} 0$/m.test(figures) &&
      /^lamppost_rules_lag_seconds 0$/m.test(figures) &&
      /^lamppost_alert_transitions_waiting 0$/m.test(figures),
    120_000,
  );
  const told = await toldAlerts(city, alarm.sensorId);
  const [wanted, seen] = [new Set(expected), new Set(told)];
  return {
    alerts: expected.length,
    alertsLost: expected.filter((line) => !seen.has(line)).length,
    // An alert twice, one that should not be, or an entry twice in its timeline.
    alertsDoubled: told.length - seen.size + [...seen].filter((line) => !wanted.has(line)).length,
  };
}

export const isKept = ({ lost, doubled, balanced, alertsLost, alertsDoubled, booked, rows }: Reckoning): boolean =>
  lost + doubled + alertsLost + alertsDoubled === 0 && balanced && booked === rows;

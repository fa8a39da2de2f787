import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { addLoadGateway, BASE, type Login, type Sender, settledBooks, startMqttSender } from "../helpers/senders.ts";

/**
 * Anyone can check: while devices publish at full speed, over a SIGKILL, and after somebody has tampered with the files,
 * `lamppost ledger --verify` says what is so.
 */
let city: City;
let login: Login;
beforeAll(async () => {
  city = await startCity();
  login = await addLoadGateway(city);
});
afterAll(() => city.remove());

const SENSORS = ["led-1", "led-2", "led-3"];
const senders = new Map<string, Sender[]>();
let first = 0;

async function startSenders(): Promise<Sender[]> {
  const started = await Promise.all(SENSORS.map((sensorId) => startMqttSender(city, login, { sensorId, first })));
  first += 100_000;
  for (const sender of started) senders.set(sender.sensorId, [...(senders.get(sender.sensorId) ?? []), sender]);
  return started;
}

type Sums = { received: number; inJournal: number; balanced: boolean };
const sum = (all: readonly Sums[]) => all.reduce((total, one) => total + one.received, 0);

/** One answer in which everything must add up. */
async function lookAtBooks() {
  const ledger = await city.api("/ledger?by=sensor&verify=true&limit=1000");
  const { balanced, scope, verified, days, sensors } = ledger;
  expect({ balanced, scope, verified }).toMatchObject({ balanced: true, scope: "all", verified: { ok: true } });
  expect([...days, ...sensors].every((one: Sums) => one.balanced)).toBe(true);
  expect([sum(days), sum(sensors)]).toEqual([ledger.received, ledger.received]);
  expect(sensors.reduce((total: number, one: Sums) => total + one.inJournal, 0)).toBe(ledger.inJournal);
  return ledger;
}

it("adds up and is what is there at every moment, under load and over a SIGKILL", async () => {
  const before = await startSenders();
  let [waiting, looks] = [0, 0];
  const isBusy = () => before.some(({ acked }) => acked.size < 500);
  for (; looks < 15 || waiting === 0 || isBusy(); looks += 1) waiting += (await lookAtBooks()).inJournal;

  await city.kill();
  await Promise.all(before.map((sender) => sender.ended));
  city = await city.restart();
  await lookAtBooks();
  const after = await startSenders();
  await Promise.all(after.map((sender) => sender.ackedAtLeast(200)));
  await lookAtBooks();
  await Promise.all(after.map((sender) => sender.stop()));

  const { stored, duplicate, quarantined } = await settledBooks(city);
  const { sensors } = await lookAtBooks();
  for (const { sensorId, received } of sensors) {
    const acked = senders.get(sensorId)!.reduce((total, sender) => total + sender.acked.size, 0);
    expect([sensorId, received >= acked]).toEqual([sensorId, true]);
  }
  expect([stored > 2_000, duplicate, quarantined]).toEqual([true, 0, 0]);
});

it("traces a reading on the command line", async () => {
  const at = new Date(BASE + 5).toISOString();
  const stored = await city.cli("ledger", "trace", "led-1", at);
  expect([stored.code, stored.stdout]).toEqual([
    0,
    expect.stringMatching(`^The reading of led-1 of ${at} is stored in duckdb \\(message \\d+, received at .*\\)\\.`),
  ]);
  const unseen = await city.cli("ledger", "trace", "led-1", String(BASE - 1), "--json");
  expect(JSON.parse(unseen.stdout)).toMatchObject({ found: "unseen", measuredAt: new Date(BASE - 1).toISOString() });
});

it("finds what somebody changed in the files, raises an alert, and ends it when that is put right", async () => {
  expect((await city.cli("ledger", "--verify")).code).toBe(0);
  await city.stop();
  await changeReading("led-1", "led-2");
  changeBooks(1);
  city = await city.restart();

  const { code, stdout } = await city.cli("ledger", "--verify");
  expect(code).toBe(1);
  expect(stdout).toMatch(/THE BOOKS DO NOT BALANCE\n/);
  expect(stdout).toMatch(/THE BOOKS SAY OTHER THAN WHAT IS THERE: \d differences\n/);
  expect(stdout).toMatch(/identity +\S+ +led-3 +\d+ +\d+ +1\n/);
  expect(stdout).toMatch(/readings +- +led-1 +\d+ +\d+ +-1\n/);
  expect(stdout).toMatch(/readings +- +led-2 +\d+ +\d+ +1\n/);
  expect(await alerts()).toMatchObject([{ state: "firing", kind: "service", audience: "operators" }]);
  const { parts } = (await (await city.call("/readyz")).json()) as { parts: unknown[] };
  expect(parts).toContainEqual(expect.objectContaining({ part: "ledger", state: "degraded", ready: true }));
  expect(await (await city.call("/metrics")).text()).toMatch(/^lamppost_ledger_imbalance [1-9]/m);
  const [entry] = (await city.api("/audit?limit=50")).items.filter((one: { what: string }) =>
    one.what.startsWith("ledger"),
  );
  expect(entry).toMatchObject({ what: "ledger.imbalance", by: "lamppost" });

  await city.stop();
  await changeReading("led-2", "led-1");
  changeBooks(-1);
  city = await city.restart();
  const again = await city.cli("ledger", "--verify");
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("everything is where the books say")]);
  expect(await alerts()).toMatchObject([{ state: "resolved" }]);
});

const alerts = async () => (await city.api("/alerts?rule=ledger-imbalance&state=firing,resolved")).items;

/** The reading of `BASE + 5` goes over to another sensor: as many rows as before, and not the same. */
async function changeReading(from: string, to: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(city.dataDir, "readings.duckdb"));
  const connection = await instance.connect();
  const row = `sensorId = '${from}' AND journalSeq = (SELECT max(journalSeq) FROM air WHERE measuredAt = ${BASE + 5} AND sensorId = '${from}')`;
  const { rowsChanged } = await connection.run(
    `UPDATE air SET sensorId = '${to}' WHERE measuredAt = ${BASE + 5} AND ${row}`,
  );
  expect(rowsChanged).toBe(1);
  connection.closeSync();
  instance.closeSync();
}

/** One item of led-3 more has an outcome than was received. */
function changeBooks(by: number): void {
  const records = new DatabaseSync(join(city.dataDir, "records.db"));
  const sensor = "sensor = 'led-3' AND outcome = 'stored'";
  records.exec(
    `UPDATE ledger SET count = count + ${by} WHERE ${sensor} AND day = (SELECT max(day) FROM ledger WHERE ${sensor})`,
  );
  records.exec(
    `UPDATE ledger_days SET count = count + ${by} WHERE outcome = 'stored' AND day = (SELECT max(day) FROM ledger WHERE ${sensor})`,
  );
  records.close();
}

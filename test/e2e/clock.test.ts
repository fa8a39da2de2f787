/** @module-tag long */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mqtt from "mqtt";
import { expect, it, onTestFinished } from "vitest";
import { openJournalWriter } from "../../ingest/journal/writer.ts";
import { SILENT } from "../../model/log.ts";
import { HOME, startCity, until } from "../helpers/city.ts";
import { answer, startScriptedHttp } from "../helpers/scripted-http.ts";
import { addLoadGateway } from "../helpers/senders.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ANSWER_WITHIN_MS = 5_000;
/** The service looks at its clock every 15 s for what is done by the hour, every 5 s for the alerts. */
const CRON_LOOKS_MS = 18_000;
const ALERTS_LOOK_MS = 8_000;

/** A service whose clocks the test sets: that of the day is off by `offMs`, and `passedMs` of uptime have passed besides. */
async function startSettable(offMs: number, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "lamppost-clock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clockFile = join(folder, "clock");
  const setClock = (off: number, passedMs = 0) => writeFileSync(clockFile, `${off} ${passedMs}`);
  setClock(offMs);
  const shim = `--import ${join(HOME, "test/helpers/set-clock.ts")}`;
  const city = await startCity({ env: { NODE_OPTIONS: shim, CLOCK_FILE: clockFile, ...env } });
  onTestFinished(() => city.remove());
  /** Each answer within a time that a planning of all minutes would exceed. */
  async function isWell(forMs: number): Promise<void> {
    for (const end = performance.now() + forMs; performance.now() < end; ) {
      expect((await city.call("/livez", { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  return { city, setClock, isWell };
}

/** A machine without a clock of its own starts in the past; a moment later its clock is set right. */
it.each([
  ["30 days behind", 30 * DAY_MS, [0, -HOUR_MS, 0]],
  ["in 1970", Date.now() - 60_000, [0]],
])(
  "a clock that was %s at the start and is set right holds nothing up, and neither does one set back",
  async (_, behindMs, steps) => {
    const { city, setClock, isWell } = await startSettable(-behindMs);
    const login = await addLoadGateway(city);
    const headers = { authorization: `Bearer ${login.password}`, "content-type": "application/json" };
    let sent = 0;
    const send = async () => {
      sent += 1;
      const body = JSON.stringify({ sensorId: "air-1", kind: "air", district: "load", pm25: sent });
      return (await city.call("/api/v1/readings", { method: "POST", headers, body })).status;
    };
    expect(await send()).toBe(202);

    for (const offMs of steps) {
      setClock(offMs);
      await isWell(CRON_LOOKS_MS);
      expect(await send()).toBe(202);
    }
    await until(
      () => city.api("/ledger"),
      (books) => books.inJournal === 0 && books.received === sent,
    );
    expect(await city.api("/ledger")).toMatchObject({ stored: sent, balanced: true });
    expect(await city.stop()).toBe(0);
  },
  180_000,
);

it("a process that was stopped, a machine that was suspended, a clock that leaps: no sensor is called silent, nobody is told, nothing is removed", async () => {
  const told: string[] = [];
  let onTold = () => {};
  const hook = await startScriptedHttp((request, response) => {
    const { data } = JSON.parse(request.body);
    for (const one of [data].flat()) told.push((one.data ?? one).rule.id);
    answer(204)(request, response);
    onTold();
  });
  onTestFinished(() => hook.stop());
  const { city, setClock, isWell } = await startSettable(0, { LAMPPOST_NOTIFY_ALLOW: "127.0.0.1" });
  await city.api("/targets", { id: "hook", name: "Hook", type: "webhook", url: `${hook.url}/in` });
  const login = await addLoadGateway(city);
  const gateway = await mqtt.connectAsync(city.mqtt, { ...login, clientId: login.username });
  onTestFinished(() => void gateway.end(true));
  const sensors = [1, 2, 3, 4].map((n) => `t-${n}`);
  const from = new Date().toISOString();
  let sent = 0;
  const send = (sensorId: string, oilTemperature: number) => {
    sent += 1;
    return gateway.publishAsync(`city/load/energy/${sensorId}`, JSON.stringify({ oilTemperature }), { qos: 1 });
  };
  let speaking = true;
  const speak = async () => {
    while (speaking) {
      await Promise.all(sensors.map((id) => send(id, 60 + (sent % 7))));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  };
  const spoken = speak();
  // Before the gateway leaves, also where the test fails.
  onTestFinished(async () => {
    speaking = false;
    await spoken.catch(() => {});
  });
  const stopped = async (meanwhile: () => void) => {
    process.kill(city.pid, "SIGSTOP");
    meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    process.kill(city.pid, "SIGCONT");
    await isWell(ALERTS_LOOK_MS);
  };
  await isWell(ALERTS_LOOK_MS);

  // Suspended for two hours, stopped for two hours, and steps of the clock: forward, far ahead, back.
  await stopped(() => setClock(2 * HOUR_MS));
  await stopped(() => setClock(4 * HOUR_MS, 2 * HOUR_MS));
  for (const offMs of [6 * HOUR_MS, 365 * DAY_MS, 6 * HOUR_MS]) {
    setClock(offMs, 2 * HOUR_MS);
    // With the retention and its hour in it.
    await isWell(offMs > DAY_MS ? CRON_LOOKS_MS : ALERTS_LOOK_MS);
  }
  expect(told).toEqual([]);
  const all = "/alerts?state=pending,firing,resolved,retracted&suppressed=true";
  expect((await city.api(all)).items).toEqual([]);
  expect((await city.api("/alerts?state=pending,firing,resolved,retracted")).items).toEqual([]);

  // Set back by ten hours: what happens now is told now.
  setClock(-4 * HOUR_MS, 2 * HOUR_MS);
  await isWell(ALERTS_LOOK_MS);
  speaking = false;
  await spoken;
  const isTold = new Promise<void>((resolve) => {
    onTold = () => told.includes("oil-temperature") && resolve();
  });
  await send("t-1", 97);
  await isTold;
  expect(told.filter((rule) => rule !== "oil-temperature" && rule !== "service-health")).toEqual([]);
  await until(
    () => city.api("/ledger"),
    (books) => books.inJournal === 0 && books.received === sent,
  );
  expect(await city.api("/ledger")).toMatchObject({ stored: sent, balanced: true });
  const to = new Date(Date.now() + HOUR_MS).toISOString();
  expect((await city.api(`/sensors/t-1/readings?from=${from}&to=${to}`)).items.length).toBeGreaterThan(10);
  expect(await city.stop()).toBe(0);
});

/** Farther ahead than a date can be (8.64e15 ms): what was received then has a time that no calendar knows. */
const IMPOSSIBLE = 9e15;
const PATHS = [
  "/sensors",
  "/sensors/air-1",
  "/sensors/air-1/readings",
  "/districts",
  "/ledger",
  "/quarantine",
  "/audit",
];

it("a time that no date can say, of the clock or in the journal, ends nothing and stops no answer", async () => {
  const { city, setClock, isWell } = await startSettable(0);
  const login = await addLoadGateway(city);
  const headers = { authorization: `Bearer ${login.password}`, "content-type": "application/json" };
  const send = async (at: typeof city, pm25: number) => {
    const body = JSON.stringify({ sensorId: "air-1", kind: "air", district: "load", pm25 });
    return (await at.call("/api/v1/readings", { method: "POST", headers, body })).status;
  };
  const answersAll = async (at: typeof city, received: number) => {
    const settled = (books: { inJournal: number; received: number }) =>
      books.inJournal === 0 && books.received === received;
    expect(await until(() => at.api("/ledger"), settled)).toMatchObject({ balanced: true });
    for (const path of [...PATHS.map((path) => `/api/v1${path}`), "/readyz", "/metrics"])
      expect([path, (await at.call(path)).status]).toEqual([path, 200]);
  };
  expect(await send(city, 1)).toBe(202);
  setClock(IMPOSSIBLE);
  await isWell(ALERTS_LOOK_MS);
  expect(await send(city, 2)).toBe(202);
  await answersAll(city, 2);
  expect(await city.stop()).toBe(0);

  // As a version that did not look at its clock kept it.
  const dir = join(city.dataDir, "journal");
  const { writer } = await openJournalWriter({ dir, freeBytesMin: 0 }, { now: Date.now, log: SILENT });
  const source = { via: "mqtt", role: "gateway", name: login.username } as const;
  const payload = Buffer.from('{"pm25":3}');
  const topic = "city/load/air/air-1";
  await new Promise<void>((resolve, reject) =>
    writer.append({ receivedAt: IMPOSSIBLE, source, topic, payload }, (error) => (error ? reject(error) : resolve())),
  );
  await writer.close();
  setClock(0);
  const next = await city.restart();
  onTestFinished(() => next.remove());
  expect(await send(next, 4)).toBe(202);
  await answersAll(next, 4);
  expect(await next.stop()).toBe(0);
});

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";
import { openEvents } from "../helpers/event-stream.ts";

/** What someone sees who has typed `npm start` and nothing else. */
describe("the simulated city", () => {
  const SIMULATE = { args: ["--simulate", "city"] };
  let city: City;
  beforeAll(async () => {
    city = await startCity(SIMULATE);
  });
  afterAll(() => city.remove());

  type Alert = Record<string, never> & { rule: { source: string }; explanation: string; evidence: unknown[] };
  const alertsFor = async (audience: string): Promise<Alert[]> =>
    (await city.api(`/alerts?audience=${audience}&limit=1000`)).items;
  type Listed = { id: string; kind: string; district: string; lat?: number; lon?: number };
  const sensors = async (): Promise<Listed[]> => (await city.api("/sensors?limit=1000")).items;
  const logins = () => JSON.parse(readFileSync(join(city.dataDir, "simulator.json"), "utf8")).logins;

  it("has sixty sensors of three kinds in five districts on the map, all of them heard, within a minute", async () => {
    const listed = await until(sensors, (all) => all.length >= 60, 60_000);
    expect(new Set(listed.map(({ kind }) => kind))).toEqual(new Set(["air", "traffic", "energy"]));
    expect(new Set(listed.map(({ district }) => district)).size).toBeGreaterThanOrEqual(5);
    for (const { id, lat, lon } of listed)
      expect([id, Number.isFinite(lat), Number.isFinite(lon)]).toEqual([id, true, true]);
    expect(new Set(listed.map(({ lat, lon }) => `${lat} ${lon}`)).size).toBeGreaterThan(listed.length / 2);
    const latest = await until(
      async () => (await city.api("/readings/latest?limit=1000")).items as unknown[],
      (items) => items.length >= 60,
      60_000,
    );
    expect(latest.length).toBeLessThanOrEqual((await sensors()).length);
  });

  it("has something for operators and for crews, and every alert says why", async () => {
    const both = async () => [await alertsFor("operators"), await alertsFor("crews")] as const;
    const seen = await until(both, (lists) => lists.every((list) => list.length > 0), 60_000);
    for (const alert of seen.flat()) {
      expect(alert.explanation.length).toBeGreaterThan(20);
      // What the service says of itself, on a busy machine that it is behind, rests on no reading.
      if (alert.kind !== "service") expect(alert.evidence.length).toBeGreaterThan(0);
      expect(alert.rule.source.length).toBeGreaterThan(10);
    }
  });

  it("tells alerts on the event stream; who comes back misses nothing", async () => {
    const first = await openEvents(city, { lastEventId: 0 });
    const told = [await first.next("alert"), await first.next("alert"), await first.next("alert")];
    await first.close();
    expect(told[0]!.data.alert).toMatchObject({ explanation: expect.any(String), state: expect.any(String) });
    const ids = told.map(({ id }) => id!);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    const again = await openEvents(city, { lastEventId: ids[0]! });
    expect([await again.next("alert"), await again.next("alert")]).toEqual(told.slice(1));
    await again.close();

    // And live: the stream says what happens next, here what a person does.
    const live = await openEvents(city);
    const { id } = told[0]!.data.alert;
    const next = live.next("alert");
    await city.api(`/alerts/${id}/acknowledge`, {});
    expect((await next).data).toMatchObject({ what: "acknowledged", alert: { id, handling: "acknowledged" } });
    await live.close();
  });

  it("has told the whole day before, and keeps its books", async () => {
    const books = await until(
      () => city.api("/ledger"),
      ({ stored }) => stored > 20_000,
    );
    const { received, stored, duplicate, quarantined, inJournal, balanced } = books;
    expect(received).toBe(stored + duplicate + quarantined + inJournal);
    expect(balanced).toBe(true);
  });

  it("goes on after a restart with the secrets it has, and every stored reading can be read", {
    tags: ["long"],
    timeout: 240_000,
  }, async () => {
    const known = logins();
    expect(Object.keys(known).length).toBeGreaterThanOrEqual(10);
    expect(statSync(join(city.dataDir, "simulator.json")).mode & 0o777).toBe(0o600);
    const devices = await city.api("/devices?limit=1000");
    expect(await city.stop()).toBe(0);

    const restartedAt = Date.now();
    city = await city.restart(SIMULATE);
    const isNew = ({ measuredAt }: { measuredAt: string }) => Date.parse(measuredAt) > restartedAt;
    await until(
      async () => (await city.api("/readings/latest?limit=1000")).items as { measuredAt: string }[],
      (items) => items.filter(isNew).length >= 50,
      60_000,
    );
    expect(logins()).toEqual(known);
    expect(await city.api("/devices?limit=1000")).toEqual(devices);
    expect(await city.stop()).toBe(0);

    city = await city.restart({});
    const books = await until(
      () => city.api("/ledger"),
      ({ inJournal }) => inJournal === 0,
    );
    expect(books.balanced).toBe(true);
    let rows = 0;
    for (const { id } of await sensors()) {
      const csv = await (
        await city.call(`/api/v1/sensors/${id}/readings?from=${restartedAt - 3 * 86_400_000}&format=csv`)
      ).text();
      rows += csv.trimEnd().split("\r\n").length - 1;
    }
    expect(rows).toBe(books.stored);
  });
});

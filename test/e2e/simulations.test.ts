import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity, until } from "../helpers/city.ts";

/** Scenarios and recordings started over HTTP, in the whole service. */
describe("simulations", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
  });
  afterAll(async () => city?.remove());

  const ended = async () =>
    (
      await until(
        () => city.api("/simulations"),
        ({ current }) => current === undefined,
        60_000,
      )
    ).last;

  it("plays a scenario through a gateway of its own: every reading is booked, alerts are raised, no trace of the gateway stays", async () => {
    await city.api("/simulations", { scenario: "storm", speed: "max", districts: ["hillside", "centre"] });
    const run = await ended();
    expect(run).toMatchObject({ scenario: "storm", ended: { how: "done", report: { balanced: true } } });
    const { report } = run.ended;
    expect(report.sent).toBeGreaterThan(1_000);
    expect(report.stored).toBeGreaterThan(1_000);
    expect(report.quarantined).toBeGreaterThan(10);
    expect(report.alertsRaised).toBeGreaterThan(0);
    const sensors: { id: string; district: string }[] = (await city.api("/sensors?limit=1000")).items;
    expect(new Set(sensors.map(({ district }) => district))).toEqual(new Set(["sim-centre", "sim-hillside"]));
    expect(sensors.every(({ id }) => id.startsWith("sim-"))).toBe(true);
    expect((await city.api("/gateways")).items).toEqual([]);
    expect(readdirSync(join(city.dataDir, "recordings"))).toEqual([]);
    expect((await city.api("/ledger")).balanced).toBe(true);
  });

  it("records what sensors say and plays it again, as copies", async () => {
    await city.api("/recordings", { name: "take-1", sensors: ["air-7"] });
    await city.api("/devices", { sensorId: "air-7", kind: "air", district: "north" });
    const send = (pm25: number) =>
      city.api("/readings", { sensorId: "air-7", kind: "air", district: "north", pm25, measuredAt: Date.now() });
    for (const pm25 of [5, 6, 7]) await send(pm25);
    await until(
      () => city.api("/recordings"),
      ({ current }) => current.readings === 3,
    );
    await city.api("/recordings/take-1/stop", {});
    await until(
      () => city.api("/recordings"),
      ({ items }) => items.length === 1,
    );
    await city.api("/simulations", { recording: "take-1", speed: "max" });
    expect((await ended()).ended).toMatchObject({ how: "done", report: { sent: 3, stored: 3, balanced: true } });
    expect((await city.api("/sensors/air-7/readings")).items).toHaveLength(3);
    expect((await city.api("/sensors/sim-air-7/readings")).items).toHaveLength(3);
  });

  it("is stopped by hand, and a service that ends takes it along; the next start clears up", {
    tags: ["long"],
  }, async () => {
    const { id } = await city.api("/simulations", { scenario: "ordinary-day", speed: 1 });
    await until(
      () => city.api("/simulations"),
      ({ current }) => current?.phase === "sending" && current.done > 0,
    );
    await city.api(`/simulations/${id}`, undefined, "DELETE");
    expect((await ended()).ended).toMatchObject({ how: "stopped", report: { balanced: true } });
    for (const end of ["stop", "kill"] as const) {
      await city.api("/simulations", { scenario: "ordinary-day", speed: 1 });
      await until(
        () => city.api("/simulations"),
        ({ current }) => current?.phase === "sending",
      );
      const code = await city[end]();
      if (end === "stop") expect(code).toBe(0);
      city = await city.restart();
      expect((await city.api("/gateways")).items).toEqual([]);
    }
    expect(readdirSync(join(city.dataDir, "recordings"))).toEqual(["take-1.ndjson"]);
  });
});

import { describe, expect, it } from "vitest";
import { createHealthWatch, SERVICE_RULE } from "../../alerts/service-health.ts";
import type { Health } from "../../model/health.ts";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records.ts";

const OK: Health = { part: "reading store", state: "ok", ready: true };
const LOST: Health = { part: "reading store", state: "degraded", ready: true, reason: "12 readings are missing." };
const FULL: Health = { part: "journal", state: "failed", ready: false, reason: "The disk is full." };

function scene() {
  let time = Date.UTC(2026, 0, 1);
  let health: readonly Health[] = [OK];
  const now = () => time;
  const records = openRecords({ path: ":memory:", now, log: SILENT });
  const make = () =>
    createHealthWatch({
      records,
      health: () => health,
      apply: (transitions) => {
        for (const one of transitions) records.alerts.apply(one);
      },
      now,
    });
  let watch = make();
  return {
    is(parts: readonly Health[], forMs: number) {
      health = parts;
      watch.tick();
      time += forMs;
      watch.tick();
    },
    restart() {
      watch = make();
    },
    alerts: () => records.alerts.list({ rule: SERVICE_RULE }, 100).items,
  };
}

describe("the service's own troubles", () => {
  it("are an alert after 30 seconds, once, and end when the part is well", () => {
    const { is, alerts } = scene();
    is([LOST], 29_000);
    expect(alerts()).toEqual([]);
    is([LOST], 1_000);
    is([LOST], 60_000);
    expect(alerts()).toMatchObject([
      { state: "firing", severity: "warning", kind: "service", explanation: "12 readings are missing." },
    ]);
    is([OK], 1_000);
    expect(alerts()).toMatchObject([{ state: "resolved", timeline: [{ what: "firing" }, { what: "resolved" }] }]);
  });

  it("call nobody when they pass at once", () => {
    const { is, alerts } = scene();
    is([LOST], 20_000);
    is([OK], 20_000);
    is([LOST], 20_000);
    expect(alerts()).toEqual([]);
  });

  it("are critical where nothing can be taken in, and one alert for each part", () => {
    const { is, alerts } = scene();
    is([FULL, LOST, { ...LOST, reason: "Another thing." }], 30_000);
    expect(alerts().map(({ severity, explanation }) => `${severity}: ${explanation}`)).toEqual(
      expect.arrayContaining(["critical: The disk is full.", "warning: 12 readings are missing. Another thing."]),
    );
    expect(alerts()).toHaveLength(2);
  });

  it("are ended by the next life, too", () => {
    const { is, restart, alerts } = scene();
    is([FULL], 30_000);
    restart();
    is([FULL], 60_000);
    expect(alerts()).toMatchObject([{ state: "firing" }]);
    is([OK], 0);
    expect(alerts()).toMatchObject([{ state: "resolved" }]);
  });
});

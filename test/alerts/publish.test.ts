import { describe, expect, it } from "vitest";
import { createEngine } from "../../alerts/engine/engine.ts";
import { alertMessage } from "../../alerts/publisher.ts";
import type { Alert } from "../../model/alert.ts";
import { formatSpan, parseDuration } from "../../model/time.ts";
import { aReading, aRule, HOUR, MINUTE, T0 } from "./builders.ts";

const rule = aRule({
  id: "no2",
  metric: "no2",
  severity: "critical",
  condition: { type: "consecutive", above: 200, count: 1, window: "1h" },
});

function anAlert(): Alert {
  const engine = createEngine({ rules: [rule], sensor: () => undefined });
  const said = engine.observe([0, 1, 2].map((hour) => aReading(T0 + hour * HOUR, { no2: 250 })));
  return { ...said[0]!.alert, handling: "open", timeline: [said[0]!.entry] };
}

describe("an alert on MQTT", () => {
  it("goes to its district and severity, as the API shows it", () => {
    const alert = anAlert();
    const { topic, payload } = alertMessage(alert)!;
    expect(topic).toBe(`alerts/north/critical/${alert.id}`);
    expect(JSON.parse(payload)).toMatchObject({
      id: alert.id,
      state: "firing",
      handling: "open",
      startedAt: "2026-11-21T01:00:00.000Z",
      firedAt: "2026-11-21T02:00:00.000Z",
      value: 250,
      limit: 200,
      unit: "µg/m³",
      evidence: [
        {
          measuredAt: "2026-11-21T02:00:00.000Z",
          metric: "no2",
          value: 250,
          window: { from: "2026-11-21T01:00:00.000Z", samples: 1 },
        },
      ],
      timeline: [{ what: "firing", at: "2026-11-21T02:00:00.000Z", knownAt: "2026-11-21T02:00:00.500Z" }],
    });
    expect(JSON.parse(payload)).not.toHaveProperty("resolvedAt");
  });

  it("is not told while it is pending, nor if it never fired", () => {
    const { firedAt: _, ...unfired } = anAlert();
    expect(alertMessage({ ...unfired, state: "pending" })).toBeUndefined();
    expect(alertMessage({ ...unfired, state: "resolved" })).toBeUndefined();
  });
});

describe("durations", () => {
  it("are whole numbers with a unit", () => {
    expect(["90s", "10m", "1h", "1d"].map(parseDuration)).toEqual([90_000, 600_000, HOUR, 24 * HOUR]);
    for (const wrong of ["", "10", "m", "1.5h", "-1m", "0s", "01m", "10 m", "1h30m", "9999999d"]) {
      expect(parseDuration(wrong), wrong).toBeUndefined();
    }
  });

  it("read well", () => {
    expect([45_000, 10 * MINUTE, 84 * HOUR + 21 * MINUTE, 3_600_500, 0].map(formatSpan)).toEqual([
      "45 s",
      "10 min",
      "3 d 12 h",
      "1 h",
      "0 s",
    ]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { branchOf } from "../../../alerts/noise/judge.ts";
import { aRule, MINUTE, T0 } from "../builders.ts";
import { aCity, aTransition, RULES } from "./city.ts";

let city: ReturnType<typeof aCity>;
beforeEach(() => {
  city = aCity();
});
afterEach(() => city.records.close());

const entries = (rule: string, sensor: string) =>
  city.alert(rule, sensor).timeline.map(({ what, note }) => (note ? `${what} ${note}` : what));

describe("inhibition", () => {
  it("tells of the gateway and not of the sensors behind it that came first", () => {
    city.up("silent", "s-1");
    city.up("silent", "s-2");
    city.up("silent", "s-3");
    city.pass(30_000);
    city.up("outage", "gw-1");
    expect(city.told()).toEqual(["firing outage gw-1"]);
    expect(city.alert("silent", "s-1").suppressedBy).toBe("rule:outage");
    expect(entries("silent", "s-1").at(-1)).toBe(
      `suppressed rule:outage: Explained by alert outage.gw-1.${T0 + 30_000} (gateway:gw-1).`,
    );
    city.pass(30_000);
    expect(city.told()).toEqual(["firing silent s-3"]);
  });

  it("holds only what another rule may explain, and no longer than a minute", () => {
    city.up("silent", "s-1", { severity: "critical" });
    city.up("damp", "s-1");
    city.up("plain", "s-1");
    expect(city.told()).toEqual(["firing damp s-1", "firing plain s-1"]);
    city.pass(59_999);
    expect(city.told()).toEqual([]);
    city.pass(1);
    expect(city.told()).toEqual(["firing silent s-1"]);
  });

  it("waits longer where a quorum counts just these alerts, but not with what is critical to operators", () => {
    const condition = { type: "quorum", rule: "silent", by: "gateway", count: 3, within: "3m" };
    const outage = aRule({ id: "outage", condition, inhibits: [{ rule: "silent", where: "gateway" }] });
    city.setRules([outage, ...RULES.slice(1)]);
    city.up("silent", "s-1");
    city.up("silent", "s-2", { severity: "critical" });
    city.up("silent", "s-3", { severity: "critical", audience: "crews" });
    city.pass(MINUTE);
    expect(city.told()).toEqual(["firing silent s-2"]);
    city.pass(2 * MINUTE - 1);
    expect(city.told()).toEqual([]);
    city.pass(1);
    expect(city.told()).toEqual(["firing silent s-1", "firing silent s-3"]);
  });

  it("tells nothing of what comes and goes while it is held", () => {
    city.up("silent", "s-1");
    city.pass(30_000);
    city.down("silent", "s-1", T0);
    city.pass(5 * MINUTE);
    expect(city.told()).toEqual([]);
  });

  it("along a tag, with the feeder's alert after those it explains: their end is still told", () => {
    city.up("sag", "s-1");
    city.up("sag", "s-2");
    city.pass(MINUTE);
    expect(city.told()).toEqual(["firing sag s-1", "firing sag s-2"]);
    city.up("feeder-fault", "f-1");
    expect(city.alert("sag", "s-1").suppressedBy).toBe("rule:feeder-fault");
    expect(city.alert("sag", "s-2").suppressedBy).toBeUndefined();
    city.pass(MINUTE);
    city.down("sag", "s-1", T0);
    expect(city.told()).toEqual(["firing feeder-fault f-1", "resolved sag s-1"]);
  });

  it("not along a tag that a sensor does not have, whatever its name is", () => {
    const about = { district: "north", tags: {} } as Parameters<typeof branchOf>[1];
    expect(branchOf({ tag: "constructor" }, about)).toBeUndefined();
  });

  it("on one sensor without waiting, also when the lesser alert comes first in the same batch", () => {
    city.apply(aTransition("firing", "damp", "s-1", T0), aTransition("firing", "dry", "s-1", T0));
    expect(city.told()).toEqual(["firing dry s-1"]);
  });

  it("releases what still fires a minute after the cause is over", () => {
    city.up("outage", "gw-1");
    city.up("silent", "s-1");
    city.up("silent", "s-2");
    city.pass(10 * MINUTE);
    city.told();
    city.down("outage", "gw-1", T0);
    expect(entries("silent", "s-1").at(-1)).toBe("released");
    city.pass(30_000);
    city.down("silent", "s-1", T0);
    city.pass(30_000);
    expect(city.told()).toEqual(["resolved outage gw-1", "firing silent s-2"]);
  });

  it("goes on where the cause itself is silenced", () => {
    city.silence({ rule: "outage" });
    city.up("outage", "gw-1");
    city.up("silent", "s-1");
    city.pass(5 * MINUTE);
    expect(city.told()).toEqual([]);
    expect(city.alert("silent", "s-1").suppressedBy).toBe("rule:outage");
  });

  it("follows a change of the rules", () => {
    city.up("outage", "gw-1");
    city.up("silent", "s-1");
    city.pass(MINUTE);
    city.setRules(RULES.map((rule) => ({ ...rule, inhibits: [] })));
    expect(city.told()).toEqual(["firing outage gw-1", "firing silent s-1"]);
    city.setRules(RULES);
    expect(city.alert("silent", "s-1").suppressedBy).toBe("rule:outage");
  });
});

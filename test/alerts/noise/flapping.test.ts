import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HOUR, MINUTE } from "../builders.ts";
import { aCity } from "./city.ts";

let city: ReturnType<typeof aCity>;
beforeEach(() => {
  city = aCity();
});
afterEach(() => city.records.close());

describe("flapping", () => {
  /** Up and down in turn every five minutes, `changes` times. */
  function flap(changes: number): void {
    let start = 0;
    for (let change = 0; change < changes; change++) {
      if (change > 0) city.pass(5 * MINUTE);
      if (change % 2 === 0) {
        start = city.now();
        city.up("plain", "s-1");
      } else city.down("plain", "s-1", start);
    }
  }

  it("becomes one notice that says so, and one end once it is calm", () => {
    flap(12);
    expect(city.notices.map(({ what, alert }) => [what, alert.suppressedBy])).toEqual([
      ["firing", undefined],
      ["resolved", undefined],
      ["firing", undefined],
      ["resolved", undefined],
      ["firing", "flapping"],
    ]);
    expect(city.notices.at(-1)!.alert.explanation).toMatch(/^It flaps: .* It is so\.$/);
    city.told();
    city.pass(29 * MINUTE);
    expect(city.told()).toEqual([]);
    city.restart();
    city.pass(MINUTE);
    expect(city.told()).toEqual(["resolved plain s-1"]);
    city.pass(HOUR);
    expect(city.told()).toEqual([]);
  });

  it("is told with what it is once it is calm: the end of the one, the firing of the other", () => {
    flap(9);
    const announced = city.notices.at(-1)!.alert.id;
    city.told();
    city.pass(30 * MINUTE);
    expect(city.notices.map(({ what, alert }) => [what, alert.id === announced])).toEqual([
      ["resolved", true],
      ["firing", false],
    ]);
    expect(city.notices[1]!.alert).toMatchObject({ state: "firing", suppressedBy: undefined });
  });

  it("is told in that order also where the service was down at that moment", () => {
    flap(9);
    city.told();
    city.sleep(31 * MINUTE);
    city.restart();
    expect(city.notices.map(({ what }) => what)).toEqual(["resolved", "firing"]);
  });

  it("is told again as still firing where the announced one never ended", () => {
    flap(5);
    city.told();
    city.pass(30 * MINUTE);
    expect(city.told()).toEqual(["reminder plain s-1"]);
  });

  it("is not what happens four times in two hours", () => {
    let start = 0;
    for (let change = 0; change < 8; change++) {
      if (change % 2 === 0) {
        start = city.now();
        city.up("plain", "s-1");
      } else city.down("plain", "s-1", start);
      city.pass(21 * MINUTE);
    }
    expect(city.notices).toHaveLength(8);
    expect(city.notices.some(({ alert }) => alert.suppressedBy)).toBe(false);
  });
});

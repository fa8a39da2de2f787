import { afterEach, beforeEach, expect, it } from "vitest";
import type { Transition } from "../../../model/alert.ts";
import { MINUTE, T0 } from "../builders.ts";
import { aDistrict, said } from "./district.ts";

let city: ReturnType<typeof aDistrict>;
beforeEach(() => {
  city = aDistrict();
});
afterEach(() => city.records.close());

const MANY = 10_000;

/** Silent stations of one district: all in one incident, as far as one can be from what it is made for. */
const silent = (n: number): Transition =>
  said("firing", "sensor-silent", `x-${n}`, T0 + n * 10, { subject: { sensorId: `x-${n}`, district: "north" } });

function took(work: () => void): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

it("cost little for each change, with 10,000 open alerts in one incident or in 2,000", { tags: ["long"] }, () => {
  for (let n = 0; n < MANY; n += 500) city.apply(...Array.from({ length: 500 }, (_, i) => silent(n + i)));
  expect(city.incidents()).toMatchObject([{ alerts: MANY, firing: MANY }]);
  const median = (work: (n: number) => void) =>
    Array.from({ length: 21 }, (_, n) => took(() => work(n))).sort((a, b) => a - b)[10]!;
  const joins = median((n) => city.apply(silent(MANY + n)));
  const ends = median((n) => {
    const { alert } = silent(n);
    const end = { ...alert, state: "resolved" as const, resolvedAt: T0 + 30 * MINUTE };
    city.apply({ alert: end, entry: { at: T0 + 30 * MINUTE, knownAt: T0 + 30 * MINUTE, what: "resolved" } });
  });
  const leaves = median((n) => {
    const { alert } = silent(100 + n);
    const end = { ...alert, state: "retracted" as const };
    city.apply({ alert: end, entry: { at: T0, knownAt: T0 + 1, what: "retracted" } });
  });
  const rounded = (ms: number) => `${ms.toFixed(1)} ms`;
  console.log(
    `10,000 alerts in one incident: joins ${rounded(joins)}, ends ${rounded(ends)}, leaves ${rounded(leaves)}`,
  );
  expect(city.incidents()).toMatchObject([{ alerts: MANY + 21 - 21, firing: MANY - 21 }]);
});

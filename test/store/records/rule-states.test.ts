import { describe, expect, it } from "vitest";
import { useRecords } from "./setup.ts";

describe("the engine's snapshot", () => {
  const city = useRecords();
  const states = () => [...city.records.ruleStates.load()].map((row) => `${row.rule}/${row.subject}=${row.state}`);

  it("keeps, replaces and removes states over a restart", () => {
    city.records.ruleStates.save([
      { rule: "r", subject: "a", state: "1" },
      { rule: "r", subject: "b", state: "2" },
    ]);
    city.reopen();
    city.records.ruleStates.save([
      { rule: "r", subject: "a", state: "" },
      { rule: "r", subject: "b", state: "3" },
      { rule: "q", subject: "b", state: "4" },
      { rule: "q", subject: "never-there", state: "" },
    ]);
    expect(states()).toEqual(["q/b=4", "r/b=3"]);
  });

  it("is one with the engine's offset", () => {
    const { ruleStates, offsets, transaction } = city.records;
    function* failing() {
      yield { rule: "r", subject: "a", state: "1" };
      throw new Error("no");
    }
    const work = () => {
      offsets.set("alerts", 9);
      ruleStates.save(failing());
    };
    expect(() => transaction(work)).toThrow("no");
    expect([states(), offsets.get("alerts")]).toEqual([[], undefined]);
  });

  it("has an offset per consumer", () => {
    city.records.offsets.set("alerts", 9);
    city.records.offsets.set("store", 4);
    city.records.offsets.set("store", 5);
    city.reopen();
    expect([city.records.offsets.get("alerts"), city.records.offsets.get("store")]).toEqual([9, 5]);
    expect(city.records.offsets.get("live")).toBeUndefined();
  });
});

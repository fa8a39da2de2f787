import { describe, expect, it } from "vitest";
import { RecordConflict } from "../../../model/ids.ts";
import { seededRandom } from "../../helpers/senders.ts";
import { aSensor, useRecords } from "./setup.ts";

describe("the sensors' registry", () => {
  const city = useRecords();
  const full = aSensor({ name: "Elm Street", lat: 1.5, lon: -2.5, intervalS: 60, tags: { lane: "1" }, gateway: "gw" });

  it("keeps every field over a restart", () => {
    city.records.sensors.add(full);
    expect(city.records.sensors.get("no2-1")).toEqual(full);
    city.reopen();
    expect(city.records.sensors.get("no2-1")).toEqual(full);
  });

  it("refuses an id that is taken and keeps the first", () => {
    city.records.sensors.add(full);
    expect(() => city.records.sensors.add(aSensor({ name: "another" }))).toThrow(RecordConflict);
    expect(city.records.sensors.get("no2-1")?.name).toBe("Elm Street");
  });

  it("changes what is given and leaves the rest, undefined keys included", () => {
    city.records.sensors.add(full);
    const changed = city.records.sensors.update("no2-1", { name: "Oak Street", lat: undefined, tags: { lane: "2" } });
    expect(changed).toEqual({ ...full, name: "Oak Street", tags: { lane: "2" } });
    city.reopen();
    expect(city.records.sensors.get("no2-1")).toEqual(changed);
    expect(city.records.sensors.update("none", { name: "x" })).toBeUndefined();
  });

  it("removes once", () => {
    city.records.sensors.add(full);
    expect([city.records.sensors.remove("no2-1"), city.records.sensors.remove("no2-1")]).toEqual([true, false]);
    city.reopen();
    expect(city.records.sensors.get("no2-1")).toBeUndefined();
  });

  it("lists by district and kind, in the order of ids, and counts districts", () => {
    city.records.sensors.add(aSensor({ id: "b", kind: "traffic" }));
    city.records.sensors.add(aSensor({ id: "a" }));
    city.records.sensors.add(aSensor({ id: "c", district: "east" }));
    const ids = (filter?: object) => city.records.sensors.list(filter).map((one) => one.id);
    expect(ids()).toEqual(["a", "b", "c"]);
    expect(ids({ district: "north" })).toEqual(["a", "b"]);
    expect(ids({ kind: "air" })).toEqual(["a", "c"]);
    expect(ids({ district: "north", kind: "traffic" })).toEqual(["b"]);
    expect(city.records.sensors.districts()).toEqual([
      { district: "east", sensors: 1, kinds: { air: 1, traffic: 0, energy: 0 } },
      { district: "north", sensors: 2, kinds: { air: 1, traffic: 1, energy: 0 } },
    ]);
  });

  it("forgets in RAM what a failed transaction wrote, changed and removed", () => {
    const { sensors, transaction } = city.records;
    sensors.add(aSensor({ id: "old", name: "before" }));
    sensors.add(aSensor({ id: "gone" }));
    const work = () => {
      sensors.add(aSensor({ id: "new" }));
      sensors.update("new", { name: "twice" });
      sensors.update("old", { name: "after" });
      sensors.remove("gone");
      expect(sensors.list().map((one) => one.id)).toEqual(["new", "old"]);
      throw new Error("no");
    };
    expect(() => transaction(work)).toThrow("no");
    const seen = () => city.records.sensors.list().map((one) => [one.id, one.name]);
    const before = [
      ["gone", undefined],
      ["old", "before"],
    ];
    expect(seen()).toEqual(before);
    city.reopen();
    expect(seen()).toEqual(before);
  });

  it("go on in order from any id, whatever was added, removed and taken back meanwhile", () => {
    const { sensors, transaction } = city.records;
    const random = seededRandom("order of the registry");
    const name = () => `s-${Math.floor(random() * 60)}`;
    const flip = () => {
      const id = name();
      if (!sensors.remove(id)) sensors.add(aSensor({ id, district: random() < 0.5 ? "north" : "east" }));
    };
    for (let round = 0; round < 400; round += 1) {
      flip();
      if (round % 7 === 0) {
        const failing = () => {
          flip();
          flip();
          throw new Error("taken back");
        };
        expect(() => transaction(failing)).toThrow("taken back");
      }
      if (round % 3 > 0) continue;
      const [from, district] = [random() < 0.2 ? undefined : name(), random() < 0.5 ? "north" : undefined];
      const wanted = Array.from({ length: 60 }, (_, n) => sensors.get(`s-${n}`))
        .flatMap((one) => (one && (!district || one.district === district) ? [one.id] : []))
        .filter((id) => from === undefined || id > from)
        .sort();
      expect([...sensors.after(from, { district })].map(({ id }) => id)).toEqual(wanted);
    }
  });
});

import { expect, it } from "vitest";
import { createDeviceFaults } from "../../ingest/device-faults.ts";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records.ts";
import { aBatch, aSensor, T0 } from "./helpers.ts";

const signal = new AbortController().signal;

function setUp() {
  let now = T0;
  const records = openRecords({ path: ":memory:", now: () => now, log: SILENT });
  records.sensors.add(aSensor());
  const open = () => createDeviceFaults(records, () => now);
  const later = (ms: number) => {
    now += ms;
  };
  return { open, later };
}

it("counts what is refused by reason and metric, and names fields that nobody takes, over a restart", () => {
  const { open, later } = setUp();
  const faults = open();
  const { take } = faults.consumer(1);
  take(aBatch([{ pm25: 1, o3: 1071, tvoc: 3, PM10: "no" }, { pm25: 1, o3: 1072 }, "noise"]), signal);
  take(aBatch([{ pm25: 1, tvoc: 4 }], 4, { receivedAt: T0 + 5 }), signal);
  const expected = {
    refused: [
      { reason: "out_of_range", metric: "o3", count: 2, detail: expect.stringContaining("1072") },
      { reason: "malformed_json", count: 1 },
    ],
    notTaken: [
      { name: "tvoc", count: 2, since: T0, lastAt: T0 + 5, detail: '"tvoc" is not a metric of air sensors.' },
      { name: "PM10", count: 1, detail: expect.stringContaining('did you mean "pm10"?') },
    ],
  };
  expect(faults.of("air-1")).toMatchObject(expected);
  expect([...faults.list("")]).toMatchObject([{ sensorId: "air-1", ...expected }]);
  expect([...faults.list("air-1")]).toEqual([]);
  faults.tick();
  const again = open();
  expect(again.of("air-1")).toMatchObject(expected);
  later(8 * 86_400_000);
  expect(again.of("air-1")).toEqual({ refused: [], notTaken: [] });
  expect([...again.list("")]).toEqual([]);
});

it("knows nothing of strangers, and stays small", () => {
  const { open } = setUp();
  const faults = open();
  const { take } = faults.consumer(1);
  take(aBatch([{ pm25: 1 }], 1, { topic: "city/north/air/nobody" }), signal);
  expect([...faults.list("")]).toEqual([]);
  for (let i = 0; i < 100; i += 1) take(aBatch([{ pm25: 1, [`field${i}`]: 1 }], i + 2), signal);
  const { notTaken } = faults.of("air-1");
  expect(notTaken).toHaveLength(40);
  expect(notTaken.map(({ name }) => name)).toContain("field99");
});

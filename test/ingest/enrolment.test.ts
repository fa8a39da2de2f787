import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decodeMessage } from "../../ingest/decode.ts";
import {
  createEnrolment,
  createQuotaDriver,
  ENROLMENT_DEFAULTS,
  type EnrolmentLimits,
} from "../../ingest/enrolment.ts";
import { SILENT } from "../../model/log.ts";
import type { NewMessage, Source } from "../../model/message.ts";
import { openRecords, type Records } from "../../store/records.ts";
import { aMessage, aSensor, GATEWAY, T0 } from "./helpers.ts";

const HOUR_MS = 3_600_000;
const OTHER: Source = { ...GATEWAY, name: "gw-other" };
const BROKER: Source = { via: "bridge", role: "broker", name: "city-broker" };

describe("enrolment", () => {
  let dir: string;
  let records: Records;
  let time: number;
  let seq: number;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lamppost-enrolment-"));
    time = T0;
    seq = 0;
    records = openRecords({ path: join(dir, "records.db"), now: () => time, log: SILENT });
  });
  afterEach(() => {
    records.close();
    rmSync(dir, { recursive: true });
  });

  function start(limits: Partial<EnrolmentLimits> = {}) {
    const enrolment = createEnrolment(records, { ...ENROLMENT_DEFAULTS, autoEnrol: true, ...limits }, () => time);
    const publish = (sensorId: string, source: Source = GATEWAY, payload: unknown = { pm25: 1 }) => {
      seq += 1;
      const message = aMessage(payload, { seq, topic: `city/north/air/${sensorId}`, source, receivedAt: time });
      const { readings, rejections } = decodeMessage(message, enrolment.context);
      records.quarantine.add(rejections);
      return readings.length > 0 ? "taken" : rejections[0]!.reason;
    };
    return { ...enrolment, publish };
  }

  it("adds a sensor with the kind and district of its first good reading, once", () => {
    const { publish } = start();
    expect(publish("new-1", GATEWAY, "noise")).toBe("malformed_json");
    expect(publish("new-1", GATEWAY, { pm25: "x" })).toBe("wrong_type");
    expect(records.sensors.count()).toBe(0);
    expect([publish("new-1"), publish("new-1")]).toEqual(["taken", "taken"]);
    const added = { kind: "air", district: "north", gateway: GATEWAY.name, createdAt: T0 };
    expect(records.sensors.list()).toEqual([expect.objectContaining(added)]);
  });

  it("leaves off the register what was taken off it; what came before is read as ever", () => {
    const { publish, context } = start();
    publish("new-1");
    const read = (receivedAt: number, topic = "city/north/air/new-1") =>
      decodeMessage(aMessage({ pm25: 1 }, { topic, source: GATEWAY, receivedAt }), context);
    time += 1_000;
    records.sensors.retire(records.sensors.get("new-1")!, time);
    expect(publish("new-1")).toBe("unknown_sensor");
    expect(read(time).rejections[0]).toMatchObject({
      unregistered: true,
      detail: expect.stringContaining("taken off"),
    });
    expect(read(time - 1).readings).toHaveLength(1);
    expect(records.sensors.count()).toBe(0);
  });

  it("takes what came where a sensor stood then, and tells who goes on sending there where it stands", () => {
    const { publish, context } = start();
    publish("new-1");
    const { createdAt } = records.sensors.get("new-1")!;
    const moved = createdAt + 1_000;
    const places = [
      { district: "north", from: createdAt },
      { district: "harbour", from: moved },
    ];
    records.sensors.update("new-1", { district: "harbour", places });
    const read = (receivedAt: number, district = "north") => {
      const message = aMessage({ pm25: 1 }, { topic: `city/${district}/air/new-1`, source: GATEWAY, receivedAt });
      return decodeMessage(message, context);
    };
    expect(read(moved - 1).readings).toMatchObject([{ district: "north" }]);
    expect(read(moved, "harbour").readings).toMatchObject([{ district: "harbour" }]);
    expect(read(moved).rejections[0]).toMatchObject({
      reason: "wrong_sensor",
      sensorId: "new-1",
      detail: expect.stringContaining("publish to city/harbour/air/new-1."),
    });
    expect(read(moved - 1, "centre").rejections[0]!.detail).toContain("is registered as air in harbour");
  });

  it("is for gateways and external brokers only, and can be off", () => {
    expect(start().publish("new-1", { via: "http", role: "operator", name: "kim" })).toBe("unknown_sensor");
    expect(start({ autoEnrol: false }).publish("new-1")).toBe("unknown_sensor");
    expect(records.sensors.count()).toBe(0);
  });

  it("gives each gateway a quota of new sensors an hour, and the external broker its own", () => {
    const { publish } = start({ gatewayPerHour: 2, brokerPerHour: 3 });
    expect(["a", "b", "c"].map((id) => publish(id))).toEqual(["taken", "taken", "enrolment_quota"]);
    expect(publish("a")).toBe("taken"); // known: nothing new
    expect(publish("d", OTHER)).toBe("taken");
    expect(["e", "f", "g", "h"].map((id) => publish(id, BROKER))).toEqual([
      ...["taken", "taken", "taken"],
      "enrolment_quota",
    ]);
    time += HOUR_MS;
    expect(publish("c")).toBe("taken");
  });

  it("does not forget at a restart, and counts a sensor once where its batch was undone and brought again", () => {
    const limits = { gatewayPerHour: 2 };
    const { publish } = start(limits);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const broken = () =>
        records.transaction(() => {
          publish("a");
          throw new Error("the disk is full");
        });
      expect(broken).toThrow("the disk is full");
    }
    expect([publish("a"), publish("b")]).toEqual(["taken", "taken"]);
    expect(start(limits).publish("c")).toBe("enrolment_quota");
    time += HOUR_MS;
    expect(start(limits).publish("c")).toBe("taken");
  });

  it("lets nobody in beyond the registry's size, and names the setting", () => {
    const { publish } = start({ sensorsMax: 1 });
    expect([publish("a"), publish("b")]).toEqual(["taken", "enrolment_quota"]);
    expect(records.quarantine.list({}, 1).items[0]!.rejection.detail).toContain("LAMPPOST_SENSORS_MAX");
  });

  it("looks at the whole registry once, however many come", () => {
    records.transaction(() => {
      for (let i = 0; i < 1_000; i += 1) records.sensors.add(aSensor({ id: `old-${i}` }));
    });
    let lists = 0;
    const { sensors } = records;
    const counted = {
      ...sensors,
      list: () => {
        lists += 1;
        return sensors.list();
      },
    };
    const { context } = createEnrolment({ sensors: counted }, { ...ENROLMENT_DEFAULTS, autoEnrol: true }, () => time);
    const topic = { district: "north", kind: "air", imported: false } as const;
    records.transaction(() => {
      for (let i = 0; i < 1_000; i += 1) context.enrol({ ...topic, sensorId: `new-${i}` }, GATEWAY);
    });
    expect(records.sensors.count()).toBe(2_000);
    expect(lists).toBe(1);
  });

  describe("what waits for a quota", () => {
    function drive(enrolment: ReturnType<typeof start>) {
      const sent: NewMessage[] = [];
      const append = async (messages: readonly NewMessage[]) => void sent.push(...messages);
      const parts = { enrolment, records, append, now: () => time, log: SILENT };
      return { ...createQuotaDriver(parts), sent };
    }
    const topics = (sent: readonly NewMessage[]) => sent.map(({ topic }) => topic.split("/").at(-1));

    it("is driven again by itself, the oldest first and no more new sensors than there is room for", async () => {
      const enrolment = start({ gatewayPerHour: 2 });
      const { tick, sent } = drive(enrolment);
      for (const id of ["a", "b", "c", "d", "d", "e", "f"]) enrolment.publish(id);
      await tick();
      expect(sent).toEqual([]);
      time += HOUR_MS;
      await tick();
      expect(topics(sent)).toEqual(["c", "d", "d"]);
      for (const id of topics(sent)) expect(enrolment.publish(id!)).toBe("taken");
      sent.length = 0;
      await tick();
      expect(sent).toEqual([]);
      time += HOUR_MS;
      await tick();
      expect(topics(sent)).toEqual(["e", "f"]);
      expect(sent[0]!.receivedAt).toBe(T0);
    });

    it("goes on where another sender's waits", async () => {
      const enrolment = start({ gatewayPerHour: 1 });
      const { tick, sent } = drive(enrolment);
      for (const source of [GATEWAY, OTHER])
        for (const id of ["a", "b"]) enrolment.publish(`${source.name}-${id}`, source);
      records.sensors.remove(`${OTHER.name}-a`);
      const again = drive(start({ gatewayPerHour: 1 }));
      await again.tick();
      expect(topics(again.sent)).toEqual([`${OTHER.name}-b`]);
      await tick();
      expect(sent).toEqual([]);
    });

    it("is told to the admin: once an hour in the audit, and in the health while it goes on", async () => {
      const enrolment = start({ gatewayPerHour: 1 });
      const { tick } = drive(enrolment);
      for (const id of ["a", "b", "c"]) enrolment.publish(id);
      await tick();
      await tick();
      const rows = records.audit.list(10).items.filter(({ what }) => what === "sensor.quota");
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        by: GATEWAY.name,
        detail: expect.stringContaining("LAMPPOST_NEW_SENSORS_PER_HOUR"),
      });
      expect(enrolment.health()).toMatchObject({ state: "degraded", ready: true });
      expect(enrolment.health().reason).toContain(`${GATEWAY.name} (2 messages)`);
      time += HOUR_MS;
      expect(enrolment.health().state).toBe("ok");
    });
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { TimelineEntry, Transition } from "../../../model/alert.ts";
import { SILENT } from "../../../model/log.ts";
import type { Rejection } from "../../../model/rejection.ts";
import type { StoredCredential } from "../../../store/records/accounts.ts";
import type { Sensor } from "../../../store/records/sensors.ts";
import { openRecords, type Records } from "../../../store/records.ts";

export const NOW = Date.UTC(2026, 10, 21, 10);

/** Records in a folder of their own for each test; `reopen` closes them and reads the file again. */
export function useRecords() {
  const state = { dir: "", now: NOW };
  let records: Records;
  const path = () => join(state.dir, "records.db");
  const open = () => openRecords({ path: path(), now: () => state.now, log: SILENT });
  beforeEach(() => {
    state.dir = mkdtempSync(join(tmpdir(), "lamppost-records-"));
    state.now = NOW;
    records = open();
  });
  afterEach(() => {
    records.close();
    rmSync(state.dir, { recursive: true });
  });
  return {
    get records() {
      return records;
    },
    path,
    setNow(now: number) {
      state.now = now;
    },
    reopen() {
      records.close();
      records = open();
    },
  };
}

export function aSensor(change: Partial<Sensor> = {}): Sensor {
  return { id: "no2-1", kind: "air", district: "north", tags: {}, createdAt: NOW, ...change };
}

export function aUser(name: string, secretHash = `hash-of-${name}`): StoredCredential {
  return { account: { role: "operator", name }, secretHash, createdAt: NOW, createdBy: "admin" };
}

export function anEntry(change: Partial<TimelineEntry> = {}): TimelineEntry {
  return { at: 1_000, knownAt: 2_000, what: "firing", ...change };
}

export function aTransition(alert: Partial<Transition["alert"]> = {}, entry: Partial<TimelineEntry> = {}): Transition {
  return {
    alert: {
      id: "a-1",
      rule: { id: "no2-high", version: "1", title: "NO2 is high", source: "EU 2024/2881" },
      subject: { sensorId: "no2-1", district: "north" },
      kind: "air",
      severity: "warning",
      audience: "operators",
      state: "firing",
      startedAt: 1_000,
      explanation: "no2 was 210 for an hour",
      evidence: [{ measuredAt: 1_000, metric: "no2", value: 210 }],
      ...alert,
    },
    entry: anEntry(entry),
  };
}

export function aRejection(change: Partial<Rejection> = {}): Rejection {
  return {
    journalSeq: 1,
    index: 0,
    reason: "out_of_range",
    detail: "no2 is above 10000",
    receivedAt: NOW,
    source: { via: "mqtt", role: "gateway", name: "gw-north" },
    topic: "city/north/air/no2-1",
    sensorId: "no2-1",
    district: "north",
    kind: "air",
    payload: new Uint8Array([1, 2, 3]),
    ...change,
  };
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SILENT } from "../../model/log.ts";
import { createSimulations } from "../../simulators/runs/simulations.ts";
import { openRecords } from "../../store/records.ts";
import { aBackground } from "../helpers/background.ts";

const dataDir = mkdtempSync(join(tmpdir(), "lamppost-simulations-"));
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  rmSync(dataDir, { recursive: true, force: true });
});

function start(overrides: { adminToken?: string; autoEnrol?: boolean } = {}) {
  const records = openRecords({ path: ":memory:", now: Date.now, log: SILENT });
  const sensor = (id: string, gateway?: string) =>
    records.sensors.add({ id, kind: "air", district: "a", tags: {}, createdAt: 0, ...(gateway ? { gateway } : {}) });
  sensor("sim-air-1", "sim-run-1");
  sensor("sim-of-someone", "gw-north");
  sensor("air-1", "gw-north");
  sensor("air-2", "sim-run-by-hand");
  const account = { role: "gateway", name: "sim-run-1", districts: ["a"], mayImport: true } as const;
  records.credentials.add({ account, secretHash: "0".repeat(64), createdAt: 0, createdBy: "admin" });
  const { adminToken: token, autoEnrol } = { adminToken: "x", autoEnrol: true, ...overrides };
  const { credentials, sensors } = records;
  const simulations = createSimulations({
    dir: dataDir,
    credentials,
    sensors,
    autoEnrol,
    now: Date.now,
    log: SILENT,
    subscribe: () => () => {},
    disconnect: () => {},
    background: aBackground(),
  });
  expect(simulations.refusal()).toContain("still starting");
  simulations.open({ http: "", mqtt: "", token });
  return { records, simulations, ids: () => records.sensors.list().map(({ id }) => id) };
}

it("takes away what a run has left when the service died: its gateway at once, its sensors when the journal is read", () => {
  const { records, ids } = start();
  expect(records.credentials.list("gateway")).toEqual([]);
  expect(ids()).toHaveLength(4);
  vi.advanceTimersByTime(15 * 60_000);
  expect(ids().sort()).toEqual(["air-1", "air-2", "sim-of-someone"]);
  records.close();
});

it("says why nothing can run: without the admin's token, or where gateways may not enrol", () => {
  expect(start({ adminToken: undefined }).simulations.refusal()).toContain("no admin token");
  expect(start({ autoEnrol: false }).simulations.refusal()).toContain("LAMPPOST_AUTO_ENROL");
  expect(start().simulations.refusal()).toBeUndefined();
});

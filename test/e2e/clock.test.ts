import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { HOME, startCity, until } from "../helpers/city.ts";
import { addLoadGateway } from "../helpers/senders.ts";

const DAY_MS = 86_400_000;
const ANSWER_WITHIN_MS = 5_000;

/** A machine without a clock of its own starts in the past; a moment later its clock is set right. */
it.each([
  ["30 days behind", 30 * DAY_MS],
  ["in 1970", Date.now() - 60_000],
])(
  "a clock that was %s at the start and is set right holds nothing up, and neither does one set back",
  async (_, behindMs) => {
    const folder = mkdtempSync(join(tmpdir(), "lamppost-clock-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const clockFile = join(folder, "clock");
    const setClock = (offMs: number) => writeFileSync(clockFile, String(offMs));
    setClock(-behindMs);
    const env = { NODE_OPTIONS: `--import ${join(HOME, "test/helpers/set-clock.ts")}`, CLOCK_FILE: clockFile };
    const city = await startCity({ env });
    onTestFinished(() => city.remove());
    const login = await addLoadGateway(city);
    const headers = { authorization: `Bearer ${login.password}`, "content-type": "application/json" };
    let sent = 0;
    const send = async () => {
      sent += 1;
      const body = JSON.stringify({ sensorId: "air-1", kind: "air", district: "load", pm25: sent });
      return (await city.call("/api/v1/readings", { method: "POST", headers, body })).status;
    };
    expect(await send()).toBe(202);

    for (const offMs of [0, -3_600_000, 0]) {
      setClock(offMs);
      // Longer than the minute's beat takes to come; each answer within a time that a planning of all minutes would exceed.
      for (const end = performance.now() + 20_000; performance.now() < end; ) {
        const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
        expect((await city.call("/livez", { signal })).status).toBe(200);
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
      expect(await send()).toBe(202);
    }
    await until(
      () => city.api("/ledger"),
      (books) => books.inJournal === 0 && books.received === sent,
    );
    expect(await city.api("/ledger")).toMatchObject({ stored: sent, balanced: true });
    expect(await city.stop()).toBe(0);
  },
  180_000,
);

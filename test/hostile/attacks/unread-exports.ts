import { readFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Attack, ELSEWHERE, type Target } from "../attack.ts";

const EXPORTS = 120;
const MIB = 1024 * 1024;
/** What the exports alone could hold at once was some GiB. */
const GROWTH_BYTES_MAX = 500 * MIB;
const SENSOR = "exported";

/** Somebody's script starts a year's export of everything and never reads the answers. */
export const attack: Attack = {
  name: "exports that nobody reads",
  about: "120 CSV exports are asked for and not read; they must not fill the memory or wait in others' way.",
  async run(target, signal) {
    const { password } = await target.user("exporter", "viewer");
    await fillHistory(target);
    const before = rssBytes(target.pid);
    const to = Date.now();
    const path = `/api/v1/sensors/${SENSOR}/readings?format=csv&from=${to - 365 * 86_400_000}&to=${to}`;
    const headers = { authorization: `Bearer ${password}` };
    const answers: number[] = [];
    const asked = Array.from({ length: EXPORTS }, () => {
      const request = get(`${target.http}${path}`, { headers, agent: false, localAddress: ELSEWHERE });
      request.on("error", () => {});
      request.once("response", (response: IncomingMessage) => {
        answers.push(response.statusCode ?? 0);
        response.on("error", () => {});
        if (response.statusCode === 429 && response.headers["retry-after"] === undefined) answers.push(-1);
      });
      return request;
    });
    let most = 0;
    while (!signal.aborted) {
      most = Math.max(most, rssBytes(target.pid) - before);
      await sleep(200);
    }
    for (const one of asked) one.destroy();
    if (most > GROWTH_BYTES_MAX) throw new Error(`the process grew by ${Math.round(most / MIB)} MiB`);
    if (answers.includes(-1)) throw new Error("a 429 without Retry-After");
    const count = (status: number) => answers.filter((one) => one === status).length;
    if (count(200) + count(429) !== answers.length) throw new Error(`answers: ${[...new Set(answers)]}`);
    return `${EXPORTS} asked for, ${count(200)} begun, ${count(429)} refused; RSS grew by ${Math.round(most / MIB)} MiB`;
  },
};

/** A reading a minute: 3 MB of CSV, which no buffer between the two takes. */
async function fillHistory(target: Target): Promise<void> {
  await target.device(SENSOR);
  const begin = Date.now() - 20 * 86_400_000;
  for (let batch = 0; batch < 40; batch++) {
    const readings = Array.from({ length: 500 }, (_, i) => {
      const measuredAt = begin + (batch * 500 + i) * 60_000;
      const values = { pm25: 10 + (i % 7) / 3, pm10: 20 + (i % 5) / 3, no2: 30 + (i % 11) / 3, temperature: 12.123_45 };
      return { sensorId: SENSOR, kind: "air", district: "harbour", measuredAt, ...values };
    });
    await target.api("/readings?import=true", readings);
  }
  while ((await target.api(`/ledger?sensor=${SENSOR}`)).inJournal > 0) await sleep(100);
}

/** Resident memory as Linux says it; elsewhere 0, and only the honest judge. */
function rssBytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

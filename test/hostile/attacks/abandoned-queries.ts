import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Attack, DISTRICT, ELSEWHERE } from "../attack.ts";

const AT_ONCE = 60;

/** A page that is reloaded all the time: it asks for years in steps and is gone before the answer. */
export const attack: Attack = {
  name: "aggregates and reports that nobody waits for",
  about: "60 dear questions at a time, given up after 50 ms; the store must not go on answering them before others.",
  async run(target, signal) {
    const { password } = await target.user("reloader", "viewer");
    await target.device("reloaded");
    const headers = { authorization: `Bearer ${password}` };
    const readings = Array.from({ length: 500 }, (_, i) => {
      const measuredAt = Date.now() - (i + 1) * 600_000;
      return { sensorId: "reloaded", kind: "air", district: DISTRICT, measuredAt, pm25: i % 40 };
    });
    await target.api("/readings?import=true", readings);
    const to = Date.now();
    const year = `from=${to - 365 * 86_400_000}&to=${to}`;
    const paths = [
      `/api/v1/sensors/reloaded/readings?every=2h&${year}`,
      `/api/v1/sensors/reloaded/readings?every=110m&${year}`,
      `/api/v1/report?from=${to - 30 * 86_400_000}&to=${to}`,
      "/api/v1/ledger?by=sensor",
      `/api/v1/ledger/trace?sensor=reloaded&measuredAt=${new Date(to - 600_000).toISOString()}`,
    ];
    let [asked, refused] = [0, 0];
    while (!signal.aborted) {
      const open = Array.from({ length: AT_ONCE }, (_, i) => {
        asked += 1;
        const request = get(`${target.http}${paths[i % paths.length]}`, {
          headers,
          agent: false,
          localAddress: ELSEWHERE,
        });
        request
          .on("error", () => {})
          .once("response", (response) => {
            if (response.statusCode === 429) refused += 1;
            response.on("error", () => {}).resume();
          });
        return request;
      });
      await sleep(50);
      for (const request of open) request.destroy();
    }
    return `${asked} questions, ${refused} refused`;
  },
};

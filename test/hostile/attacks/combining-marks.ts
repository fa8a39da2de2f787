import { type Attack, DISTRICT } from "../attack.ts";

/** Keys that cost more than their length to make plain: a run of combining marks takes quadratic time to sort. */
export const attack: Attack = {
  name: "keys of combining marks",
  about: "Posted readings whose key is a letter and as many marks as a body may hold; each is refused in linear time.",
  async run(target, signal) {
    const { password } = await target.gateway("gw-marks");
    const key = `p${"\u0301\u0316".repeat(60_000)}late`;
    const body = JSON.stringify({ sensorId: "marks-1", kind: "air", district: DISTRICT, [key]: 1 });
    const headers = { authorization: `Bearer ${password}`, "content-type": "application/json" };
    const statuses = new Map<number, number>();
    async function send(): Promise<void> {
      while (!signal.aborted) {
        const response = await fetch(`${target.http}/api/v1/readings`, { method: "POST", headers, body });
        await response.text();
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      }
    }
    await Promise.all([send(), send()]);
    if (statuses.has(202)) throw new Error("a reading without a metric was taken");
    return `answers by status: ${JSON.stringify(Object.fromEntries(statuses))}`;
  },
};

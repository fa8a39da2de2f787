import { readFileSync } from "node:fs";
import { generate } from "mqtt-packet";
import { type Attack, DISTRICT } from "../attack.ts";
import { chunkOf, openMqtt, pour } from "../pour.ts";

/** A gateway that says `offline` for sensors it invents, without end, and for those of another district. */
export const attack: Attack = {
  name: "statuses of invented and foreign sensors",
  about: "No sensor goes offline by someone who may not say so, none is invented, and the memory does not grow.",
  async run(target, signal) {
    const victim = "status-victim";
    await target.device(victim, { district: "elsewhere" });
    const socket = await openMqtt(target, await target.gateway("gw-status"));
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${target.pid}/status`, "utf8"))![1]) / 1_024;
    const before = rss();
    let n = 0;
    const said = (topic: string) =>
      generate({ cmd: "publish", topic: `${topic}/status`, payload: "offline", qos: 0, dup: false, retain: true });
    const chunk = chunkOf(500, (index) => {
      n += 1;
      if (index === 0) return said(`city/elsewhere/air/${victim}`);
      return said(index === 1 ? `city/${DISTRICT}/air/${victim}` : `city/${DISTRICT}/air/invented-${n}`);
    });
    await pour(socket, chunk, signal);
    const sensor = await target.api(`/sensors/${victim}`);
    if (sensor.online === false) throw new Error("a gateway set a sensor of another district offline");
    const { items } = await target.api("/audit?limit=1000");
    const rows = items.filter((row: { by: string }) => row.by === "gw-status").length;
    if (rows === 0 || rows > 30) throw new Error(`${rows} audit rows of the refusals`);
    return `${n} statuses, ${rows} audit rows, memory ${Math.round(before)} -> ${Math.round(rss())} MiB`;
  },
};

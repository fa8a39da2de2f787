import { generate } from "mqtt-packet";
import { type Attack, DISTRICT } from "../attack.ts";
import { openMqtt, pour } from "../pour.ts";

/** A gateway and a device that send their readings 500 at a time, as fast as their sockets take them. */
export const attack: Attack = {
  name: "arrays of 500 readings at full speed",
  about: "A reading in an array counts as one: arrays bring nobody more readings than messages of one.",
  async run(target, signal) {
    const flood = async (name: string, login: { username: string; password: string }) => {
      const socket = await openMqtt(target, login);
      const topic = `city/${DISTRICT}/air/${name}`;
      let measuredAt = Date.now() - 6 * 3_600_000;
      let sent = 0;
      const read = await pour(
        socket,
        () => {
          const readings = Array.from({ length: 500 }, () => ({ measuredAt: measuredAt++, pm25: 1 }));
          sent += 1;
          return generate({
            cmd: "publish",
            topic,
            payload: JSON.stringify(readings),
            qos: 0,
            dup: false,
            retain: false,
          });
        },
        signal,
      );
      return `${name} ${Math.round(read / 1_024)} KiB of ${sent} arrays`;
    };
    const taken = await Promise.all([
      target.gateway("gw-arrays").then((login) => flood("array-1", login)),
      target.device("array-2").then((login) => flood("array-2", login)),
    ]);
    return `${taken.join(", ")} were taken`;
  },
};

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** One device that sends far more than it should, as a process of its own so that it takes no time from who measures. */
export type Flood = {
  readonly mqtt: string;
  readonly login: { readonly username: string; readonly password: string };
  readonly topic: string;
  readonly qos: 0 | 1;
  /** QoS 0: so many a second whatever happens. QoS 1: as many as are let through, up to this. */
  readonly perSecond: number;
  readonly forMs: number;
  /** `measuredAt` of its first reading; they are a millisecond apart. */
  readonly from: number;
};

export type Flooded = {
  /** Messages that were sent. Those of QoS 1 reached the service for certain: the last one was acknowledged. */
  readonly published: number;
  readonly acknowledged: number;
  readonly seconds: number;
};

/** Floods for `forMs`; of QoS 1, resolves when all of it has arrived. */
export async function flood(options: Flood): Promise<Flooded> {
  const child = fork(join(import.meta.dirname, "flooder.ts"), { stdio: "inherit" });
  child.send(options);
  const [message] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [Flooded | number];
  if (typeof message === "object") return message;
  throw new Error(`the flooder ended with ${message}`);
}

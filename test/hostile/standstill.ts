import { setTimeout as sleep } from "node:timers/promises";
import type { Attack } from "./attack.ts";
import { PATIENCE_MS } from "./honest.ts";

/** The control: if the honest ones do not complain of this, they would of nothing. */
export const attack: Attack = {
  name: "standstill",
  about: "The service's process is stopped and goes on later.",
  async run({ pid }) {
    process.kill(pid, "SIGSTOP");
    try {
      await sleep(PATIENCE_MS + 2_000);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    return `stopped it for ${PATIENCE_MS / 1_000 + 2} s`;
  },
};

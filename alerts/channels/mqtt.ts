import type { Channel } from "./channel.ts";
import { payloadOf } from "./webhook.ts";

/** A topic `alerts/to/<name>` of the service's own broker; the payload is a webhook's body. */
export const mqtt: Channel = {
  async send(target, { notices }, { publish, telling }) {
    await publish({ topic: target.to!, payload: payloadOf(notices, telling) });
    return { is: "sent" };
  },
};

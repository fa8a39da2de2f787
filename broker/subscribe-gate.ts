import type { AedesPublishPacket, Client, Subscription } from "aedes";
import { mayUse } from "./access.ts";
import type { MqttClient } from "./aedes-internals.ts";
import type { DenialReason } from "./events.ts";
import { owe } from "./pace.ts";
import { type Context, type Session, whoIs } from "./session.ts";

/** Who may receive what: asked at SUBSCRIBE, and again for every message, by the same rule. */
export function createSubscribeGate(context: Context) {
  const { options, counts } = context;

  function authorizeSubscribe(
    client: Client,
    subscription: Subscription,
    done: (error: Error | null, subscription?: Subscription | null) => void,
  ): void {
    const session = context.sessionOf(client);
    const reason = session ? reasonAgainst(session, subscription.topic) : "not_yours";
    if (!reason) return done(null, subscription);
    counts.deniedSubscribes += 1;
    if (session) {
      context.report({ type: "denied-subscribe", reason, topic: subscription.topic, ...whoIs(session) });
    }
    done(null, null); // answered with 0x80 [MQTT-3.9.3-2]
  }

  function reasonAgainst(session: Session, filter: string): DenialReason | undefined {
    if (!session.account || session.revoked) return "not_yours";
    const { subscriptions } = session.client;
    if (!(filter in subscriptions) && Object.keys(subscriptions).length >= options.subscriptionsPerClientMax) {
      return "too_many_subscriptions";
    }
    const verdict = mayUse(session.account, "subscribe", filter);
    return verdict.allowed ? undefined : verdict.reason;
  }

  function authorizeForward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const session = context.sessionOf(client);
    if (!session?.account || session.revoked || !mayUse(session.account, "forward", packet.topic).allowed) {
      counts.deniedForwards += 1;
      return null;
    }
    const share = options.accountBufferBytesMax / context.sessionsNamed(session.account.name).size;
    if (client.conn.writableLength > Math.min(options.subscriberBufferBytesMax, share)) {
      counts.subscriberDrops += 1;
      return null;
    }
    if (packet.qos > 0) owe(session, packet.qos);
    return packet;
  }

  return { authorizeSubscribe, authorizeForward };
}

/**
 * aedes lets whoever published wait until the sockets of all subscribers have drained, so one that reads nothing
 * stalls everybody for `drainTimeout`. Here nobody waits: the slow one is still closed by the
 * drain timeout, and what its socket may hold is limited in `authorizeForward`.
 */
export function freePublishersFrom(client: MqttClient): void {
  const waitForDrain = client.waitForDrain.bind(client);
  let waiting = false;
  client.waitForDrain = (done) => {
    if (!waiting) {
      waiting = true;
      waitForDrain(() => {
        waiting = false;
      });
    }
    setImmediate(done, null, client);
  };
}

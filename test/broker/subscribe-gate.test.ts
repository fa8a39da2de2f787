import type { AedesPublishPacket } from "aedes";
import { expect, it } from "vitest";
import type { MqttClient } from "../../broker/aedes-internals.ts";
import { createCounts } from "../../broker/events.ts";
import { createKeptSessions } from "../../broker/kept-sessions.ts";
import { BROKER_DEFAULTS } from "../../broker/options.ts";
import type { Context, Session } from "../../broker/session.ts";
import { createSubscribeGate } from "../../broker/subscribers.ts";
import { SILENT } from "../../model/log.ts";
import { DEVICE, OPERATOR, OWN_TOPIC } from "./broker-fixture.ts";

/** Asks whether a message may be forwarded, as aedes would for a subscription that should never have been granted. */
function forwards(session: Partial<Session> | undefined, topic: string, writableLength = 0, connections = 1): boolean {
  const counts = createCounts();
  const client = { conn: { writableLength }, clean: true } as unknown as MqttClient;
  const sessionsNamed = () => ({ size: connections });
  const sessionOf = () => session && ({ ...session, client } as Session);
  const ports = { options: BROKER_DEFAULTS, keeper: undefined, now: Date.now, log: SILENT };
  const kept = createKeptSessions([], { ...ports, sessionOf });
  const own = { options: BROKER_DEFAULTS, counts, report() {}, sessionOf, sessionsNamed, kept };
  const context = own as unknown as Context;
  const packet = { topic } as AedesPublishPacket;
  return createSubscribeGate(context).authorizeForward(client, packet) === packet;
}

it("asks the access rule again for every message", () => {
  expect(forwards({ account: DEVICE }, `${OWN_TOPIC}/rejected`)).toBe(true);
  expect(forwards({ account: DEVICE }, "city/north/air/no2-2/rejected")).toBe(false);
  expect(forwards({ account: OPERATOR }, "$SYS/x/new/clients")).toBe(false);
  expect(forwards({ account: OPERATOR }, "secret/1")).toBe(false);
});

it("forwards nothing to who is not logged in, was revoked, or does not read", () => {
  expect(forwards({}, OWN_TOPIC)).toBe(false);
  expect(forwards(undefined, OWN_TOPIC)).toBe(false);
  expect(forwards({ account: OPERATOR, revoked: true }, OWN_TOPIC)).toBe(false);
  expect(forwards({ account: OPERATOR }, OWN_TOPIC, BROKER_DEFAULTS.subscriberBufferBytesMax + 1)).toBe(false);
});

it("lets an account's connections together leave no more unread than a few of them", () => {
  const { accountBufferBytesMax: all, connectionsPerAccountMax: most } = BROKER_DEFAULTS;
  expect(forwards({ account: OPERATOR }, OWN_TOPIC, all / most - 1, most)).toBe(true);
  expect(forwards({ account: OPERATOR }, OWN_TOPIC, all / most + 1, most)).toBe(false);
});

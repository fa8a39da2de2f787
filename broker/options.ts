import type { RateLimit } from "../model/rate-limit.ts";
import type { TlsMaterial } from "../model/tls.ts";

export type BrokerOptions = {
  readonly host: string;
  /** 0 picks a free port. MQTT and MQTT over WebSocket share it. Undefined: TLS only. */
  readonly port: number | undefined;
  readonly tls?: TlsMaterial & { readonly port: number; readonly host?: string };
  readonly webSocket: boolean;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly connectionsPerAccountMax: number;
  /** Of a device: beyond it the oldest is closed, as one it has left behind. */
  readonly connectionsPerDeviceMax: number;
  /** Addresses without a cap of their own: this machine's simulators, load generators and proxies. */
  readonly addressesExempt: readonly string[];
  /** Balancers (addresses and ranges) whose connections begin with a PROXY header, in which the client's address stands. */
  readonly proxiesTrusted: readonly string[];
  /** From accepting the socket to the CONNACK, TLS and WebSocket handshakes included. */
  readonly connectTimeoutMs: number;
  /** A publish whose append has not answered after this long closes its connection, unacknowledged. */
  readonly hookTimeoutMs: number;
  /** A subscriber that does not take its messages is closed after this long. */
  readonly drainTimeoutMs: number;
  /** A client that asks for no keepalive (0) is closed when nothing has come from it for so long. */
  readonly idleMaxS: number;
  /** Largest packet before the CONNACK. */
  readonly connectPacketBytesMax: number;
  /** Largest payload afterwards; the topic comes on top. */
  readonly packetBytesMax: number;
  /** A larger payload, up to this, is read past, acknowledged and quarantined; what announces more is closed. */
  readonly readPastBytesMax: number;
  /** What may wait in a subscriber's socket; messages beyond it are dropped for this subscriber and counted. */
  readonly subscriberBufferBytesMax: number;
  /** The same for all connections of an account: each has its part. */
  readonly accountBufferBytesMax: number;
  readonly subscriptionsPerClientMax: number;
  /** The same for people. */
  readonly subscriptionsPerUserMax: number;
  /** Shared subscriptions of an account, each counted once however many have it. */
  readonly sharedGroupsPerAccountMax: number;
  /** Sessions of one account that outlive their connections, and for how long the longest of them. */
  readonly sessionsPerAccountMax: number;
  readonly sessionExpiryMaxS: number;
  /** Messages of QoS 1 and 2 that a client of MQTT 5 may have on the way. */
  readonly receiveMaximum: number;
  /** Messages of QoS 2 that wait for their PUBREL, in all connections of an account; so many each may have in any case. */
  readonly unreleasedPerAccountMax: number;
  readonly unreleasedPerConnectionMin: number;
  /** Retained topics (the status of each sensor): aedes keeps them all in RAM. */
  readonly retainedMax: number;
  /** With so many appends waiting, QoS 0 messages are shed. */
  readonly waitingAppendsMax: number;
  /**
   * Packets a second of any type, in all connections of an account (a person is anyone else than a device or a gateway)
   * and of an address; a packet counts once for each KiB begun. Above it the sender is not read. undefined is off.
   */
  readonly rates: {
    readonly device?: RateLimit;
    readonly gateway?: RateLimit;
    readonly person?: RateLimit;
    readonly address?: RateLimit;
    /** Readings a second: an array counts as many as it has elements. */
    readonly deviceReadings?: RateLimit;
    readonly gatewayReadings?: RateLimit;
  };
  /** Failed logins per address beyond this are answered `loginBackOffMs` late. */
  readonly loginFailures: RateLimit;
  /** Right logins of an account; beyond it they are answered when there is one more, or not before `connectTimeoutMs`. */
  readonly logins: RateLimit;
  readonly loginBackOffMs: number;
  /** The same event of the same account, or address, is reported once in this time at most, with the number of repeats. */
  readonly eventRepeatMs: number;
};

export const BROKER_DEFAULTS: BrokerOptions = {
  host: "127.0.0.1",
  port: 1883,
  webSocket: true,
  connectionsMax: 12_000,
  connectionsPerAddressMax: 1_000,
  connectionsPerAccountMax: 2_000,
  connectionsPerDeviceMax: 10,
  addressesExempt: ["127.0.0.1", "::1"],
  proxiesTrusted: [],
  connectTimeoutMs: 5_000,
  hookTimeoutMs: 5_000,
  drainTimeoutMs: 5_000,
  idleMaxS: 86_400,
  connectPacketBytesMax: 4_096,
  packetBytesMax: 65_536,
  readPastBytesMax: 1_048_576,
  subscriberBufferBytesMax: 1_048_576,
  accountBufferBytesMax: 16_777_216,
  subscriptionsPerClientMax: 100,
  subscriptionsPerUserMax: 1_000,
  sharedGroupsPerAccountMax: 100,
  sessionsPerAccountMax: 20,
  sessionExpiryMaxS: 7 * 86_400,
  receiveMaximum: 1_000,
  unreleasedPerAccountMax: 10_000,
  unreleasedPerConnectionMin: 20,
  retainedMax: 100_000,
  waitingAppendsMax: 20_000,
  rates: {
    device: { perSecond: 100, burst: 2_000 },
    gateway: { perSecond: 20_000, burst: 40_000 },
    person: { perSecond: 100, burst: 2_000 },
    deviceReadings: { perSecond: 1_000, burst: 5_000 },
    gatewayReadings: { perSecond: 20_000, burst: 40_000 },
  },
  loginFailures: { perSecond: 1, burst: 20 },
  // As many at once as an account may have connections: after an outage all of them come back.
  logins: { perSecond: 20, burst: 2_000 },
  loginBackOffMs: 1_000,
  eventRepeatMs: 10_000,
};

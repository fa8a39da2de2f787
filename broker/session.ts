import type { KeptSession, SessionKeeper } from "../model/kept-session.ts";
import type { Log } from "../model/log.ts";
import type { NewMessage, Source } from "../model/message.ts";
import type { Account, Credential } from "../model/people.ts";
import type { Bucket } from "../model/rate-limit.ts";
import type { SensorTopic } from "../model/topics.ts";
import type { MqttClient, Will } from "./aedes-internals.ts";
import type { AccessEvent, AccessReport, BrokerCounts } from "./events.ts";
import type { KeptSessions } from "./kept-sessions.ts";
import type { Mqtt5 } from "./mqtt5.ts";
import type { BrokerOptions } from "./options.ts";
import type { SharedSubscriptions } from "./shared-subscriptions.ts";

/** What one account (or address) may send: all its connections share it, and wait for it in one queue. */
export type Meter = {
  readonly bucket: Bucket;
  readonly unit: Unit;
  readonly gate: Gate | undefined;
  /** The turn `share` is of. */
  turn: number;
  /** Tokens left in this turn. */
  share: number;
  readonly waiting: Paced[];
  scheduled: boolean;
};

/** `isHeld`: the account may send nothing at all. `isAhead`: nothing for some milliseconds. */
export type Gate = { isHeld(): boolean; isAhead(): boolean };
export type Unit = "packets" | "readings";
export type Paced = { resume(): void; keepAlive(): void };
/** `refused` of the readings of a message are, `detail` says why the first is; 0 where only single values are refused. */
export type Finding = {
  readonly reason: string;
  readonly detail: string;
  readonly refused: number;
  readonly of: number;
};
/** What the broker needs from the rest of the edge thread. */
export type BrokerPorts = {
  /** From RAM; undefined if there is no such account. */
  credential(name: string): Credential | undefined;
  /** The newer of an account's two secrets was shown. */
  onNewSecret?(name: string, secretHash: string): void;
  /** Calls `done()` once the message is kept, `done(error)` if it is not; in the order of the calls. */
  append(message: NewMessage, done: (error?: Error) => void): void;
  onEvent(event: AccessEvent): void;
  /** Where sessions of users outlive their connections, and those that have. Without it none does. */
  readonly keeper?: SessionKeeper;
  readonly keptSessions?: readonly KeptSession[];
  /** What is wrong with a message that will be kept: told to who speaks MQTT 5 in the acknowledgement. */
  examine?(message: NewMessage): Finding | undefined;
  /** How many connections subscribe to something that readings may match; called when that changes. */
  onListeners(count: number): void;
  /** True while this sender (a `senderKey`) has had its share of a nearly full disk: it is not read. Asked for each packet. */
  isHeld?(sender: string): boolean;
  /** True while this sender has so much under way that it waits for the rules, which takes milliseconds. */
  isAhead?(sender: string): boolean;
  /** Epoch milliseconds. */
  now(): number;
  readonly log: Log;
};

/** An accepted socket, whatever it came through. */
export type Connection = {
  readonly address: string;
  /** Accounts that its client certificate names. */
  readonly names: readonly string[];
  /** The client has logged in; `charge` takes tokens from its account for what is no packet. */
  readonly onReady: (charge: (tokens: number) => void) => void;
};

/** A QoS 1 or 2 publish on its way to the journal. Acknowledged in the order received, whichever is kept first. */
export type PendingPublish = {
  readonly done: (error?: Error) => void;
  settled: boolean;
  error?: Error;
  /** The line's tick when the append began. */
  tick: number;
};

/** What CONNECT said, before aedes sees what we made of it. */
export type Asked = {
  readonly name: string;
  readonly clientId: string;
  readonly clean: boolean;
  readonly version: number;
  /** A last will that may not be: the login does not fail for it. */
  readonly unfitWill?: Will;
  readonly credential?: Credential;
};

/** A topic of another format: what it means is found out when it is decoded, by a mapping. */
export const FOREIGN = { channel: "foreign" } as const;
export type MayBePublished = SensorTopic | typeof FOREIGN;

export type Session = {
  /** Counts up: of two sessions the newer one has the larger. */
  readonly number: number;
  readonly client: MqttClient;
  readonly connection: Connection;
  asked?: Asked;
  /** How long it is kept once its client is away, in seconds. */
  keptForS?: number;
  /** Its CONNECT, until it is answered: aedes asks it later whether the session is clean. */
  connecting?: { clean?: boolean };
  /** Set if its client speaks MQTT 5. */
  mqtt5?: Mqtt5;
  /** Set once the credential was right. */
  account?: Account;
  /** SHA-256 (hex) of the password it was right by; none where a certificate was shown. */
  secretHash?: string;
  source?: Source;
  revoked: boolean;
  /** What its account, and its address, may send. */
  meters: readonly Meter[];
  /** Reads what came behind the CONNECT, once that is answered. */
  goOn?: () => void;
  /** Answers the client owes us. */
  owed: number;
  /** Messages of QoS 1 that it was sent. */
  sent: number;
  /** Topics this session may publish to, already parsed. */
  readonly topics: Map<string, MayBePublished>;
  readonly pending: PendingPublish[];
};

export type Context = {
  readonly options: BrokerOptions;
  readonly ports: BrokerPorts;
  readonly counts: BrokerCounts;
  readonly report: (report: AccessReport) => void;
  /** Also knows sessions whose socket is closed: aedes asks about their last will afterwards. */
  readonly sessionOf: (client: object | null) => Session | undefined;
  readonly sessionsNamed: (name: string) => ReadonlySet<Session>;
  readonly nameSession: (name: string, session: Session) => void;
  readonly kept: KeptSessions;
  /** There once aedes is. */
  readonly shared: () => SharedSubscriptions;
};

export function whoIs(session: Session): { name: string; clientId: string; address: string } {
  const { asked, connection } = session;
  return { name: asked?.name ?? "", clientId: asked?.clientId ?? "", address: connection.address };
}

/** The sessions with a socket, and who they are. `end` forgets one when its socket has closed. */
export function createSessions() {
  const byClient = new WeakMap<object, Session>();
  const open = new Set<Session>();
  const byName = new Map<string, Set<Session>>();
  let count = 0;
  const nobody: ReadonlySet<Session> = new Set();

  function start(client: MqttClient, connection: Connection): Session {
    const session: Session = {
      number: ++count,
      client,
      connection,
      revoked: false,
      meters: [],
      owed: 0,
      sent: 0,
      topics: new Map(),
      pending: [],
    };
    byClient.set(client, session);
    open.add(session);
    return session;
  }

  function end(session: Session): void {
    open.delete(session);
    session.pending.length = 0;
    const name = session.account?.name;
    const named = name === undefined ? undefined : byName.get(name);
    if (name === undefined || !named) return;
    named.delete(session);
    if (named.size === 0) byName.delete(name);
  }

  function nameSession(name: string, session: Session): void {
    const named = byName.get(name) ?? new Set();
    byName.set(name, named.add(session));
  }

  return {
    start,
    end,
    nameSession,
    open: open as ReadonlySet<Session>,
    sessionOf: (client: object | null) => (client ? byClient.get(client) : undefined),
    sessionsNamed: (name: string) => byName.get(name) ?? nobody,
  };
}

/**
 * Lets what is being kept be kept and acknowledged, then closes all sessions. `leftMs` says how much time there still
 * is; when it is over, the sockets are destroyed as they are.
 */
export async function endSessions(
  open: ReadonlySet<Session>,
  stopGate: () => Promise<void>,
  leftMs: () => number,
): Promise<void> {
  const idle = stopGate(); // first, so that no last will gets through
  for (const session of open) {
    if (session.client.connected) session.client.pause();
    else session.client.close();
  }
  await within(leftMs(), idle);
  const closed = [...open].map(endSession);
  await within(leftMs(), Promise.all(closed));
  for (const session of open) session.client.close();
}

/** Sends what is in the socket and waits for the other side to close. */
function endSession({ client }: Session): Promise<void> {
  const { conn } = client;
  return new Promise((resolve) => {
    conn.once("close", () => resolve());
    // Destroying a socket with unread data resets it, and the last PUBACKs could be lost on the way: read it away.
    conn.removeAllListeners("readable");
    conn.resume();
    conn.end();
  });
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

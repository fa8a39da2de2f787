import type { AedesPublishPacket, Client } from "aedes";
import type { Properties } from "./mqtt5-properties.ts";

/**
 * What this folder uses of aedes 1.2 beyond its published types. Everything here is private to the library, so the
 * version is pinned (`~1.2.0`) and the tests of the packet guard, the slow subscriber and the stop would fail first.
 */
export type Will = {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: number;
  retain: boolean;
  /** Of MQTT 5. */
  properties?: Properties;
};

/** What the packet guard found of a PUBLISH that cannot be accepted and yet must be answered. */
export type Unfit = {
  /** Bytes of its payload; of a payload that was read past, `payload` has only the beginning. */
  readonly payloadBytes: number;
  /** The topic as it came, cut; `topic` is a stand-in that aedes lets through. */
  readonly topicGiven: string;
};

export type MqttClient = Client & {
  clean: boolean;
  readonly _parser: PacketParser;
  readonly connackSent: boolean;
  will: Will | null;
  /** Reads no further from the socket. Cannot be taken back safely once packets are under way. */
  pause(): void;
  readonly _paused?: boolean;
  /** Packets that were parsed and are not answered yet; at 0 aedes reads on by `_nextBatch`. */
  readonly _parsingBatch: number;
  _nextBatch(): void;
  /** Packet ids of QoS 2 messages whose PUBREL has not come: aedes keeps each. */
  readonly _inboundInflight: ReadonlySet<number>;
  readonly _keepaliveTimer: NodeJS.Timeout | null;
  /** Of the next message of QoS 1 that it is sent. */
  _nextId: number;
  deliver0(packet: AedesPublishPacket, done: () => void): void;
  deliverQoS(packet: AedesPublishPacket, done: () => void): void;
  waitForDrain(done: (error: Error | null, client: Client) => void): void;
  readonly subscriptions: Readonly<Record<string, { readonly qos: number; readonly rh?: number }>>;
};

/** What mqtt-packet uses of `bl`. */
type ByteList = {
  readonly length: number;
  slice(start: number, end: number): Buffer;
  get(index: number): number;
  consume(bytes: number): void;
  append(bytes: Buffer): void;
};

/** mqtt-packet's parser: steps are looked up on the instance for each packet, so each can be wrapped. */
export type PacketParser = {
  packet: {
    cmd: string;
    length: number;
    qos: number;
    dup: boolean;
    messageId?: number;
    protocolId?: string;
    protocolVersion?: number;
    username?: string;
    password?: Buffer;
    /** The options are of MQTT 5: no local, retain as published, retain handling. */
    subscriptions?: { topic: string; qos: number; nl?: boolean; rap?: boolean; rh?: number; identifier?: number }[];
    unsubscriptions?: string[];
    will?: Will;
    topic?: string;
    payload?: Buffer;
    clientId?: string;
    reasonCode?: number;
    properties?: Properties;
  } & Partial<Unfit>;
  /** The CONNECT it read last; how it reads what follows. */
  settings: { protocolVersion?: number };
  error: Error | undefined | null;
  _pos: number;
  /** The bytes not parsed yet. */
  readonly _list: ByteList;
  /** Goes on where it stopped: a step that answers false is asked again with the next bytes. */
  parse(bytes: Buffer): number;
  _parseHeader(): boolean;
  _emitError(error: Error): void;
  _parseLength(): boolean;
  _parsePayload(): boolean;
  _parsePublish(): void;
  _parseString(): string | null;
  _parseMessageId(): boolean;
  _parseProperties(): Properties;
  on(event: "error", listener: (error: Error) => void): void;
};

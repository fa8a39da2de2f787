/** Through which door a message came, and which credential opened it. */
export type Source = {
  readonly via: "mqtt" | "http" | "bridge";
  readonly role: "device" | "gateway" | "operator" | "admin" | "broker";
  readonly name: string;
};

/** A message as it arrived: what the journal keeps. `seq` is its place in the journal: 1, 2, 3, … without gaps. */
export type Message = {
  readonly seq: number;
  /** Epoch milliseconds, the service's clock when the message arrived. */
  readonly receivedAt: number;
  readonly source: Source;
  readonly topic: string;
  readonly payload: Uint8Array;
};

/** A message before the journal gave it its place. */
export type NewMessage = Omit<Message, "seq">;

/** `mqtt:gateway:gw-north`: the source as one short text, for the journal, the quarantine and the audit. */
export function formatSource(source: Source): string {
  return `${source.via}:${source.role}:${source.name}`;
}

export function parseSource(text: string): Source {
  const [via, role, ...name] = text.split(":");
  return { via: via as Source["via"], role: role as Source["role"], name: name.join(":") };
}

/** 64 KiB: the largest payload any door lets in. */
export const PAYLOAD_BYTES_MAX = 64 * 1024;
/** Longest topic any door lets in, in bytes: three ids of 64, a prefix and a suffix. */
export const TOPIC_BYTES_MAX = 256;
/** The most readings one message may carry. */
export const READINGS_PER_MESSAGE_MAX = 500;

import { formatSource, type Message, type UnmappedSender } from "../../model/message.ts";
import type { CompiledMapping } from "./compile.ts";

const SENDERS_MAX = 1_000;
const DEVICE_CHARS_MAX = 200;
/** Of all of them. */
const BYTES_MAX = 8 * 1024 * 1024;

/** Senders that nobody has mapped, with what they said last: those heard last, so many of them, and 8 MiB. In memory only. */
export function createUnmapped() {
  const senders = new Map<string, UnmappedSender>();
  let bytes = 0;

  /** `mapping`: "" where there is none for the topic. */
  function note(message: Message, mapping: string, named: string): void {
    const device = named.slice(0, DEVICE_CHARS_MAX);
    const key = `${mapping} ${device}`;
    const { receivedAt, topic, source, payload } = message;
    const known = senders.get(key);
    drop(key); // to the end
    while (senders.size >= SENDERS_MAX || (bytes + payload.byteLength > BYTES_MAX && senders.size > 0))
      drop(senders.keys().next().value!);
    bytes += payload.byteLength;
    senders.set(key, {
      mapping,
      device,
      sender: formatSource(source),
      topic,
      count: (known?.count ?? 0) + 1,
      firstAt: known?.firstAt ?? receivedAt,
      lastAt: receivedAt,
      payload: new Uint8Array(payload),
    });
  }

  function drop(key: string): void {
    bytes -= senders.get(key)?.payload.byteLength ?? 0;
    senders.delete(key);
  }

  /** Whoever is still unknown to it is heard again. */
  function forget({ id, reads }: CompiledMapping): void {
    for (const [key, { mapping, topic }] of senders) if (mapping === id || (mapping === "" && reads(topic))) drop(key);
  }

  return { note, forget, list: (): UnmappedSender[] => [...senders.values()].reverse() };
}

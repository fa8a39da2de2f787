import { formatSource, type Message, type UnmappedSender } from "../../model/message.ts";
import type { CompiledMapping } from "./compile.ts";

const SENDERS_MAX = 1_000;
const DEVICE_CHARS_MAX = 200;
const PAYLOAD_BYTES_MAX = 4_096;

/** Senders that nobody has mapped, with what they said last: those heard last, so many of them. In memory only. */
export function createUnmapped() {
  const senders = new Map<string, UnmappedSender>();

  /** `mapping`: "" where there is none for the topic. */
  function note(message: Message, mapping: string, named: string): void {
    const device = named.slice(0, DEVICE_CHARS_MAX);
    const key = `${mapping} ${device}`;
    const { receivedAt, topic, source, payload } = message;
    const known = senders.get(key);
    senders.delete(key); // to the end
    if (!known && senders.size >= SENDERS_MAX) senders.delete(senders.keys().next().value!);
    senders.set(key, {
      mapping,
      device,
      sender: formatSource(source),
      topic,
      count: (known?.count ?? 0) + 1,
      firstAt: known?.firstAt ?? receivedAt,
      lastAt: receivedAt,
      payload: new Uint8Array(payload.subarray(0, PAYLOAD_BYTES_MAX)),
    });
  }

  /** Whoever is still unknown to it is heard again. */
  function forget({ id, reads }: CompiledMapping): void {
    for (const [key, { mapping, topic }] of senders)
      if (mapping === id || (mapping === "" && reads(topic))) senders.delete(key);
  }

  return { note, forget, list: (): UnmappedSender[] => [...senders.values()].reverse() };
}

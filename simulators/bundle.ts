import { READINGS_PER_MESSAGE_MAX } from "../model/message.ts";

export type Bundle = { readonly topic: string; readonly payload: string; readonly readings: number };

/** Under the 64 KiB any door lets in, with room for the brackets. */
const BUNDLE_BYTES_MAX = 60_000;
/** Over all topics: bounds the memory when a recording has very many sensors. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Gathers readings of one topic into arrays, in their order: at most 500 readings and 60,000 bytes. `perMessage` 1
 * sends every reading by itself.
 */
export function createBundler(perMessage: number, send: (bundle: Bundle) => void) {
  const open = new Map<string, { parts: string[]; bytes: number }>();
  const limit = Math.min(perMessage, READINGS_PER_MESSAGE_MAX);
  let waitingBytes = 0;

  function flush(topic: string) {
    const bundle = open.get(topic);
    if (!bundle) return;
    open.delete(topic);
    waitingBytes -= bundle.bytes;
    const payload = bundle.parts.length === 1 ? bundle.parts[0]! : `[${bundle.parts.join(",")}]`;
    send({ topic, payload, readings: bundle.parts.length });
  }

  function flushAll() {
    for (const topic of [...open.keys()]) flush(topic);
  }

  return {
    add(topic: string, reading: object) {
      const part = JSON.stringify(reading);
      const bytes = Buffer.byteLength(part) + 1;
      if ((open.get(topic)?.bytes ?? 0) + bytes > BUNDLE_BYTES_MAX) flush(topic);
      const bundle = open.get(topic) ?? { parts: [], bytes: 0 };
      open.set(topic, bundle);
      bundle.parts.push(part);
      bundle.bytes += bytes;
      waitingBytes += bytes;
      if (bundle.parts.length >= limit) flush(topic);
      else if (waitingBytes > WAITING_BYTES_MAX) flushAll();
    },
    flushAll,
  };
}

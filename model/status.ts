import type { Kind } from "./kinds.ts";
import type { Source } from "./message.ts";

/** A sensor said, or its last will says for it, that it is there or not. */
export type SensorStatus = {
  readonly sensorId: string;
  readonly kind: Kind;
  readonly district: string;
  readonly online: boolean;
  readonly receivedAt: number;
  /** The sensor is not registered, and this is who may bring it: its first reading may come a moment later. */
  readonly unregisteredFrom?: Source;
};

const BYTES_MAX = 16;

/** The payload of a status topic: true for "online", false for "offline", undefined for anything else. */
export function readStatus(payload: Uint8Array | string): boolean | undefined {
  if (payload.length > BYTES_MAX) return undefined;
  const text = payload.toString();
  if (text === "online") return true;
  return text === "offline" ? false : undefined;
}

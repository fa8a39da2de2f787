const BYTES_MAX = 16;

/** The payload of a status topic: true for "online", false for "offline", undefined for anything else. */
export function readStatus(payload: Uint8Array | string): boolean | undefined {
  if (payload.length > BYTES_MAX) return undefined;
  const text = payload.toString();
  if (text === "online") return true;
  return text === "offline" ? false : undefined;
}

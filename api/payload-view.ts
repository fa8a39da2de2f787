/** A quarantined payload as it is shown: text if it is UTF-8, else base64; cut after `bytesMax`. */
export function viewPayload(payload: Uint8Array, bytesMax: number) {
  const truncated = payload.byteLength > bytesMax;
  const shown = payload.subarray(0, bytesMax);
  const facts = { bytes: payload.byteLength, truncated };
  try {
    // A cut in the middle of a character is not an error: with `stream` the decoder waits for the rest.
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(shown, { stream: truncated }), ...facts };
  } catch {
    return { base64: Buffer.from(shown).toString("base64"), ...facts };
  }
}

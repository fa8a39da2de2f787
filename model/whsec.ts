/** The secret of a webhook as the Standard Webhooks write it: `whsec_` and 24 to 64 bytes in base64. Undefined for others. */
export function whsecBytes(secret: string): Uint8Array | undefined {
  const text = /^whsec_([A-Za-z0-9+/]+)={0,2}$/.exec(secret)?.[1];
  if (text === undefined) return undefined;
  // A single letter at the end says nothing: it is left out, as Node's Buffer does. The page compiles this file, too.
  const bytes = Uint8Array.fromBase64(text.slice(0, text.length % 4 === 1 ? -1 : undefined));
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

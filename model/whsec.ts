/** The secret of a webhook as the Standard Webhooks write it: `whsec_` and 24 to 64 bytes in base64. Undefined for others. */
export function whsecBytes(secret: string): Buffer | undefined {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret);
  if (!match) return undefined;
  const bytes = Buffer.from(match[1]!, "base64");
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

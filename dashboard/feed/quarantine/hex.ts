const PER_LINE = 16;

/** Bytes as people read them: offset, sixteen bytes, and the characters among them. */
export function hexOf(payload: { readonly text?: string; readonly base64?: string }): string {
  const bytes = bytesOf(payload);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const part = [...bytes.subarray(at, at + PER_LINE)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${text}`);
  }
  return lines.join("\n");
}

function bytesOf({ text, base64 }: { readonly text?: string; readonly base64?: string }): Uint8Array {
  if (text !== undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(base64 ?? ""), (character) => character.charCodeAt(0));
}

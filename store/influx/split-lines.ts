/** Text lines of a byte stream, without empty ones. Holds one line at a time. */
export async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  for await (const part of bytes) {
    const lines = decoder.decode(part, { stream: true }).split("\n");
    const rest = lines.pop()!;
    for (const line of lines) {
      const whole = pieces.join("") + line;
      pieces = [];
      if (whole.trim() !== "") yield whole;
    }
    pieces.push(rest);
  }
  const last = pieces.join("") + decoder.decode();
  if (last.trim() !== "") yield last;
}

import type { Duplex } from "node:stream";

/**
 * aedes 1.2 reads once per 'readable' and counts on getting all there is. From Node 26 on `read()` gives one buffer at a
 * time, and a packet that lies in two would wait for ever: this makes `read()` give all of them again.
 */
export function readAll(stream: Duplex): void {
  const read = stream.read.bind(stream);
  stream.read = (size?: number) => {
    const first = read(size) as Buffer | null;
    if (first === null || (size !== undefined && size !== null)) return first;
    const chunks = [first];
    for (let next = read() as Buffer | null; next !== null; next = read()) chunks.push(next);
    return chunks.length === 1 ? first : Buffer.concat(chunks);
  };
}

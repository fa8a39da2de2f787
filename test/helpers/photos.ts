import { crc32 } from "node:zlib";

/** A picture of 8 x 6 pixels in each of the three types, as a browser writes it, with nothing else in it. */
export const PHOTOS = {
  "image/jpeg":
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAGAAgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAYEAADAQEAAAAAAAAAAAAAAAAAAhEBIf/EABUBAQEAAAAAAAAAAAAAAAAAAAQF/8QAGBEBAQEBAQAAAAAAAAAAAAAAAgEAETH/2gAMAwEAAhEDEQA/AJCJiWXoADpVXq91omGcm//Z",
  "image/png":
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAYAAAD+Bd/7AAAAL0lEQVR4AYSMwQkAAAgCpZUcrhlapSXrK34U7iHoFbmnLHlKISQPGgPFhdngD+8PAAD//wF24iQAAAAGSURBVAMAGAsUhZzmWwUAAAAASUVORK5CYII=",
  "image/webp":
    "UklGRlYAAABXRUJQVlA4WAoAAAAAAAAABwAABQAAVlA4IDgAAACwAQCdASoIAAYAAsBMJbACdAD0bDXAAP7sTUaEF0bHjj90KaybXsv/jmPHdO8IjX/St/bvsoAAAA==",
} as const;

export const photoOf = (type: keyof typeof PHOTOS): Buffer => Buffer.from(PHOTOS[type], "base64");

/** One part of a JPEG. */
export function segment(marker: number, body: string | Buffer): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body, "latin1") : body;
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(bytes.length + 2, 2);
  return Buffer.concat([head, bytes]);
}

/** A JPEG with these parts behind its beginning, and something behind its end. */
export function jpegWith(...parts: readonly Buffer[]): Buffer {
  const jpeg = photoOf("image/jpeg");
  return Buffer.concat([jpeg.subarray(0, 2), ...parts, jpeg.subarray(2), Buffer.from("a film behind the end")]);
}

/** Where and with what it was taken, and which way is up, as phones write it. */
export function exif(orientation: number, order: "II" | "MM" = "MM"): Buffer {
  const tiff = Buffer.alloc(38);
  const little = order === "II";
  const short = (value: number, at: number) => (little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at));
  const long = (value: number, at: number) => (little ? tiff.writeUInt32LE(value, at) : tiff.writeUInt32BE(value, at));
  tiff.write(order, "latin1");
  short(42, 2);
  long(8, 4);
  short(2, 8);
  // 0x010f: the maker; 0x0112: which way is up.
  for (const [at, tag, type, count] of [
    [10, 0x010f, 2, 4],
    [22, 0x0112, 3, 1],
  ] as const) {
    short(tag, at);
    short(type, at + 2);
    long(count, at + 4);
  }
  tiff.write("Acme", 18, "latin1");
  short(orientation, 30);
  return segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0", "latin1"), tiff, Buffer.from("GPS 48.21 N 16.37 E")]));
}

/** One part of a PNG. */
export function pngChunk(name: string, body: string): Buffer {
  const data = Buffer.from(name + body, "latin1");
  const chunk = Buffer.alloc(data.length + 8);
  chunk.writeUInt32BE(data.length - 4, 0);
  data.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(data), data.length + 4);
  return chunk;
}

/** One part of a WebP. */
export function webpChunk(name: string, body: string): Buffer {
  const chunk = Buffer.alloc(8 + body.length + (body.length % 2));
  chunk.write(name, "latin1");
  chunk.writeUInt32LE(body.length, 4);
  chunk.write(body, 8, "latin1");
  return chunk;
}

import { crc32 } from "node:zlib";
import type { PhotoType } from "../model/photo.ts";

/** Of each side, and of both: more than any phone takes, less than what stops the browser of whoever looks at it. */
const SIDE_MAX = 16_384;
const PIXELS_MAX = 64_000_000;

export type CleanPhoto = {
  readonly type: PhotoType;
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
};
/** `unknown`: neither JPEG, PNG nor WebP. `damaged`: not whole, or with parts that no still picture has. */
export type PhotoRefusal = "unknown" | "damaged" | "too-large";

/**
 * The picture and nothing else: parts that are not on the list of what a picture is made of are left out (place, device,
 * times, previews, profiles, comments, what stands behind its end). Only which way is up is kept. What it is, is told by its
 * bytes; its pixels are not decoded.
 */
export function cleanPhoto(bytes: Uint8Array): CleanPhoto | PhotoRefusal {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = readerOf(data);
  if (!read) return "unknown";
  try {
    const photo = read(data);
    if (!photo || photo.width === 0 || photo.height === 0) return "damaged";
    const { width, height } = photo;
    return width > SIDE_MAX || height > SIDE_MAX || width * height > PIXELS_MAX ? "too-large" : photo;
  } catch (error) {
    // It ends in the middle of a number.
    if (error instanceof RangeError) return "damaged";
    throw error;
  }
}

function readerOf(data: Buffer): ((data: Buffer) => CleanPhoto | undefined) | undefined {
  if (data[0] === 0xff && data[1] === 0xd8 && data[2] === 0xff) return cleanJpeg;
  if (data.subarray(0, 8).equals(PNG)) return cleanPng;
  if (data.toString("latin1", 0, 4) === "RIFF" && data.toString("latin1", 8, 12) === "WEBP") return cleanWebp;
  return undefined;
}

// JPEG: ITU-T T.81, annex B.
const [SOI, EOI, SOS, APP0, APP1, APP14, APP15, COM] = [0xd8, 0xd9, 0xda, 0xe0, 0xe1, 0xee, 0xef, 0xfe] as const;
/** Baseline, extended and progressive: what browsers show. */
const FRAMES: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2]);
/** Huffman tables, quantisation tables, restart interval. */
const TABLES: ReadonlySet<number> = new Set([0xc4, 0xdb, 0xdd]);

function cleanJpeg(data: Buffer): CleanPhoto | undefined {
  const kept: Buffer[] = [];
  let head: Buffer = Buffer.alloc(0);
  let up = 1;
  let frame: { width: number; height: number } | undefined;
  let hasScan = false;
  let at = 2;
  for (;;) {
    if (data.readUInt8(at) !== 0xff) return undefined;
    while (data.readUInt8(at + 1) === 0xff) at += 1;
    const marker = data.readUInt8(at + 1);
    if (marker === EOI) break;
    const length = data.readUInt16BE(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > data.length) return undefined;
    const segment = data.subarray(at, end);
    const body = data.subarray(at + 4, end);
    if (TABLES.has(marker)) kept.push(segment);
    else if (FRAMES.has(marker)) {
      if (frame) return undefined;
      frame = { height: body.readUInt16BE(1), width: body.readUInt16BE(3) };
      kept.push(segment);
    } else if (marker === SOS) {
      if (!frame) return undefined;
      hasScan = true;
      const scanEnd = endOfScan(data, end);
      kept.push(data.subarray(at, scanEnd));
      at = scanEnd;
      continue;
    } else if (marker === APP0 && startsWith(body, "JFIF\0")) head = JFIF;
    else if (marker === APP14 && startsWith(body, "Adobe") && body.length >= 12) kept.push(adobe(body.readUInt8(11)));
    else if (marker === APP1 && startsWith(body, "Exif\0\0")) up = orientationOf(body.subarray(6)) ?? up;
    else if (!(marker >= APP0 && marker <= APP15) && marker !== COM) return undefined;
    at = end;
  }
  if (!frame || !hasScan) return undefined;
  const start = [Buffer.from([0xff, SOI]), head, up === 1 ? Buffer.alloc(0) : exifOf(up)];
  return { type: "image/jpeg", bytes: Buffer.concat([...start, ...kept, Buffer.from([0xff, EOI])]), ...frame };
}

/** Where the next marker stands: within a scan, 0xff is followed by 0 or is a restart. */
function endOfScan(data: Buffer, from: number): number {
  for (let at = data.indexOf(0xff, from); at >= 0; at = data.indexOf(0xff, at + 1)) {
    const next = data.readUInt8(at + 1);
    if (next !== 0 && next !== 0xff && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  throw new RangeError("a scan without an end");
}

const startsWith = (body: Buffer, name: string) => body.toString("latin1", 0, name.length) === name;
/** Version 1.01, no density, no preview. */
const JFIF = Buffer.from("ffe000104a46494600010100000100010000", "hex");
/** How its colours are coded: without it some come out wrong. */
const adobe = (transform: number) =>
  Buffer.concat([Buffer.from("ffee000e41646f6265006400000000", "hex"), Buffer.from([transform])]);

/** Tag 0x0112 of the first directory (Exif 2.32, 4.6.4); what cannot be read is up as it is. */
function orientationOf(tiff: Buffer): number | undefined {
  try {
    const order = tiff.toString("latin1", 0, 2);
    if (order !== "II" && order !== "MM") return undefined;
    const short = (at: number) => (order === "II" ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
    const directory = order === "II" ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
    for (let i = 0; i < short(directory); i += 1) {
      const entry = directory + 2 + 12 * i;
      if (short(entry) !== 0x0112) continue;
      const value = short(entry + 8);
      return value >= 1 && value <= 8 ? value : undefined;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/** Nothing but which way is up. */
const exifOf = (orientation: number) =>
  Buffer.from(
    `ffe100224578696600004d4d002a000000080001011200030000000100${orientation.toString(16).padStart(2, "0")}000000000000`,
    "hex",
  );

// PNG: W3C PNG (third edition), 5 and 11.
const PNG = Buffer.from("89504e470d0a1a0a", "hex");
/** The pixels, their colours and what is seen through. No text, time, Exif, profile or animation. */
const PNG_KEPT = new Set(["IHDR", "PLTE", "tRNS", "cHRM", "gAMA", "sRGB", "sBIT", "IDAT", "IEND"]);

function cleanPng(data: Buffer): CleanPhoto | undefined {
  const kept: Buffer[] = [PNG];
  let size: { width: number; height: number } | undefined;
  let hasPixels = false;
  for (let at = PNG.length; ; ) {
    const length = data.readUInt32BE(at);
    const name = data.toString("latin1", at + 4, at + 8);
    const end = at + 12 + length;
    if (end > data.length || crc32(data.subarray(at + 4, end - 4)) !== data.readUInt32BE(end - 4)) return undefined;
    if ((name === "IHDR") !== (size === undefined)) return undefined;
    if (name === "IHDR") {
      if (length !== 13) return undefined;
      size = { width: data.readUInt32BE(at + 8), height: data.readUInt32BE(at + 12) };
    }
    if (name === "IDAT") hasPixels = true;
    if (PNG_KEPT.has(name)) kept.push(data.subarray(at, end));
    // A part that one must know to show the picture, and that no picture of ours has.
    else if (/^[A-Z]/.test(name)) return undefined;
    at = end;
    if (name === "IEND") break;
  }
  return size && hasPixels ? { type: "image/png", bytes: Buffer.concat(kept), ...size } : undefined;
}

// WebP: RFC 9649, 2.
const WEBP_KEPT = new Set(["VP8X", "ALPH", "VP8 ", "VP8L"]);
const ALPHA_FLAG = 0x10;

function cleanWebp(data: Buffer): CleanPhoto | undefined {
  const stop = 8 + data.readUInt32LE(4);
  if (stop > data.length) return undefined;
  const kept: Buffer[] = [];
  let size: { width: number; height: number } | undefined;
  let hasPixels = false;
  for (let at = 12; at + 8 <= stop; ) {
    const name = data.toString("latin1", at, at + 4);
    const end = at + 8 + data.readUInt32LE(at + 4);
    if (end > stop) return undefined;
    const body = data.subarray(at + 8, end);
    if (name.startsWith("ANI") || name === "ANMF") return undefined;
    if (name === "VP8X") {
      if (kept.length > 0 || body.length < 10) return undefined;
      size = { width: body.readUIntLE(4, 3) + 1, height: body.readUIntLE(7, 3) + 1 };
      kept.push(
        chunkOf(
          name,
          Buffer.concat([Buffer.from([body.readUInt8(0) & ALPHA_FLAG]), Buffer.alloc(3), body.subarray(4, 10)]),
        ),
      );
    } else if (WEBP_KEPT.has(name)) {
      if (name !== "ALPH") {
        const own = name === "VP8L" ? losslessSize(body) : lossySize(body);
        if (hasPixels || !own) return undefined;
        hasPixels = true;
        size ??= own;
      }
      kept.push(chunkOf(name, body));
    }
    at = end + (end % 2);
  }
  if (!size || !hasPixels) return undefined;
  const chunks = Buffer.concat(kept);
  const head = Buffer.from("RIFF\0\0\0\0WEBP", "latin1");
  head.writeUInt32LE(4 + chunks.length, 4);
  return { type: "image/webp", bytes: Buffer.concat([head, chunks]), ...size };
}

function chunkOf(name: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, "latin1");
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

/** RFC 6386, 9.1: a key frame. */
function lossySize(body: Buffer) {
  if (body.readUIntBE(3, 3) !== 0x9d012a) return undefined;
  return { width: body.readUInt16LE(6) & 0x3fff, height: body.readUInt16LE(8) & 0x3fff };
}

/** RFC 9649, 3.4: 14 bits each, less one. */
function losslessSize(body: Buffer) {
  if (body.readUInt8(0) !== 0x2f) return undefined;
  const bits = body.readUInt32LE(1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

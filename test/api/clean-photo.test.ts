import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanPhoto } from "../../api/clean-photo.ts";
import { inFull } from "../helpers/in-full.ts";
import { exif, jpegWith, PHOTOS, photoOf, pngChunk, segment, webpChunk } from "../helpers/photos.ts";

const SECRET = /Acme|GPS|48\.21|film|Photoshop|ICC|made by/;

function cleaned(bytes: Buffer) {
  const found = cleanPhoto(bytes);
  if (typeof found === "string") throw new Error(found);
  return { ...found, bytes: Buffer.from(found.bytes) };
}

describe("a photo", () => {
  it.each(Object.keys(PHOTOS) as (keyof typeof PHOTOS)[])("of type %s that is clean stays as it is", (type) => {
    const { bytes, ...rest } = cleaned(photoOf(type));
    expect(rest).toEqual({ type, width: 8, height: 6 });
    expect(bytes.equals(photoOf(type))).toBe(true);
  });

  it("loses place, device, previews, profiles, comments and what stands behind its end", () => {
    const jpeg = jpegWith(
      exif(1),
      segment(0xe1, "http://ns.adobe.com/xap/1.0/\0<x>GPS 48.21</x>"),
      segment(0xe2, "ICC_PROFILE\0\u0001\u0001made by Acme"),
      segment(0xe2, "MPF\0a second film"),
      segment(0xe0, "JFXX\0\u0010a preview made by Acme"),
      segment(0xed, "Photoshop 3.0\0"),
      segment(0xfe, "made by Acme"),
    );
    expect(jpeg.toString("latin1")).toMatch(SECRET);
    expect(cleaned(jpeg).bytes.equals(photoOf("image/jpeg"))).toBe(true);

    const png = photoOf("image/png");
    const head = png.subarray(0, 33);
    const more = ["tEXtmade by Acme", "iTXtGPS", "eXifGPS 48.21", "tIMEnow", "iCCPICC", "acTLfilm", "fdATfilm"];
    const full = Buffer.concat([
      head,
      ...more.map((one) => pngChunk(one.slice(0, 4), one.slice(4))),
      png.subarray(33),
      Buffer.from("film behind the end"),
    ]);
    expect(cleaned(full).bytes.equals(png)).toBe(true);

    const webp = photoOf("image/webp");
    const parts = Buffer.concat([
      webp.subarray(12),
      webpChunk("EXIF", "GPS 48.21"),
      webpChunk("XMP ", "made by Acme"),
      webpChunk("ICCP", "ICC"),
    ]);
    const riff = Buffer.concat([webp.subarray(0, 12), parts, Buffer.from("film behind the end")]);
    riff.writeUInt32LE(4 + parts.length, 4);
    // It says that they are there.
    riff[20] = 0x2c;
    expect(cleaned(riff).bytes.equals(webp)).toBe(true);
  });

  it.each([
    [6, "MM"],
    [3, "II"],
  ] as const)("keeps which way is up (%s, %s) and nothing beside it", (orientation, order) => {
    const { bytes } = cleaned(jpegWith(exif(orientation, order)));
    expect(bytes.toString("latin1")).not.toMatch(SECRET);
    const at = bytes.indexOf("Exif");
    // One entry, tag 0x0112, a short, one of it.
    expect(bytes.subarray(at + 14, at + 26).toString("hex")).toBe(
      `0001011200030000000100${"0".concat(String(orientation))}`,
    );
    expect(cleaned(bytes).bytes.equals(bytes)).toBe(true);
  });

  it.each([
    ["nothing", Buffer.alloc(0), "unknown"],
    ["a page", Buffer.from("<html><script>"), "unknown"],
    ["an SVG", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), "unknown"],
    ["a GIF", Buffer.from("GIF89a"), "unknown"],
    ["half a JPEG", photoOf("image/jpeg").subarray(0, 200), "damaged"],
    ["half a PNG", photoOf("image/png").subarray(0, 60), "damaged"],
    ["half a WebP", photoOf("image/webp").subarray(0, 40), "damaged"],
    ["a JPEG of a kind no browser shows", jpegWith(segment(0xc3, "\b\0\u0006\0\b\u0001")), "damaged"],
    ["a PNG with a part of its own", withPart("ZZZZ"), "damaged"],
    ["a PNG whose sum is wrong", flipped(photoOf("image/png"), 40), "damaged"],
    ["an animated WebP", animated(), "damaged"],
    ["a JPEG of a billion pixels", huge(), "too-large"],
  ])("that is %s is refused", (_, bytes, why) => {
    expect(cleanPhoto(bytes)).toBe(why);
  });

  it("of any bytes is cleaned or refused, and what is clean stays so", () => {
    const seed = fc.oneof(...Object.keys(PHOTOS).map((type) => fc.constant(photoOf(type as keyof typeof PHOTOS))));
    const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(seed, changes, fc.uint8Array({ maxLength: 30 }), fc.nat(400), (photo, edits, more, at) => {
        const bytes = Buffer.concat([photo.subarray(0, at), more, photo.subarray(at)]);
        for (const [place, value] of edits) bytes[place % bytes.length] = value;
        const once = cleanPhoto(bytes);
        if (typeof once === "string") return;
        const again = cleanPhoto(once.bytes);
        expect(typeof again === "string" ? again : Buffer.from(again.bytes).equals(Buffer.from(once.bytes))).toBe(true);
      }),
      { numRuns: inFull(2_000) },
    );
  });
});

function withPart(name: string): Buffer {
  const png = photoOf("image/png");
  return Buffer.concat([png.subarray(0, 33), pngChunk(name, "x"), png.subarray(33)]);
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = bytes[at]! ^ 1;
  return bytes;
}

function animated(): Buffer {
  const webp = photoOf("image/webp");
  const parts = Buffer.concat([webp.subarray(12), webpChunk("ANIM", "xxxxxx")]);
  const riff = Buffer.concat([webp.subarray(0, 12), parts]);
  riff.writeUInt32LE(4 + parts.length, 4);
  return riff;
}

function huge(): Buffer {
  const jpeg = photoOf("image/jpeg");
  const at = jpeg.indexOf(Buffer.from("ffc00011", "hex"));
  jpeg.writeUInt16BE(16_000, at + 5);
  jpeg.writeUInt16BE(16_000, at + 7);
  return jpeg;
}

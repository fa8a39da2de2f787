import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PHOTO_BYTES_MAX, PHOTOS_PER_ALERT_MAX } from "../../model/photo.ts";
import { exif, jpegWith, photoOf, segment } from "../helpers/photos.ts";
import { T0 } from "../helpers/readings.ts";
import { firing, startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
  service.records.alerts.apply(firing("a1", { audience: "crews" }));
  service.records.alerts.apply(firing("a2", { audience: "crews", startedAt: T0 + 1 }));
});
afterEach(() => service.close());

const send = (bytes: Buffer, { alert = "a1", type = "image/jpeg", name = "crew" } = {}) =>
  service.as(name, "POST", `/api/v1/alerts/${alert}/photos`, bytes, { "content-type": type });
const press = (action: string, body: object, alert = "a1", name = "crew") =>
  service.as(name, "POST", `/api/v1/alerts/${alert}/${action}`, body);

describe("photos of an alert", () => {
  it("are kept without what they tell of place and device, said with the work, and served as pictures only", async () => {
    const sent = await send(jpegWith(exif(1), segment(0xfe, "made by Acme")));
    expect(sent.statusCode).toBe(201);
    const { id, ...rest } = sent.json();
    const clean = photoOf("image/jpeg");
    expect(rest).toEqual({ type: "image/jpeg", bytes: clean.length, width: 8, height: 6 });
    const closed = await press("close", { note: "New battery", parts: "1 battery 12 V", photos: [id] });
    expect(closed.json().timeline.at(-1)).toMatchObject({
      what: "closed",
      by: "crew",
      note: "New battery",
      parts: "1 battery 12 V",
      photos: [id],
    });
    const shown = await service.as("viewer", "GET", `/api/v1/alerts/a1/photos/${id}`);
    expect(shown.rawPayload.equals(clean)).toBe(true);
    expect(shown.headers).toMatchObject({
      "content-type": "image/jpeg",
      "x-content-type-options": "nosniff",
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": "no-store",
      "content-disposition": `inline; filename="${id}.jpg"`,
    });
    // Of this alert, and of no other.
    expect((await service.as("viewer", "GET", `/api/v1/alerts/a2/photos/${id}`)).statusCode).toBe(404);
    expect((await service.as(undefined, "GET", `/api/v1/alerts/a1/photos/${id}`)).statusCode).toBe(401);
    expect((await press("close", { photos: [id] }, "a2")).json().errors).toMatchObject([{ pointer: "/photos" }]);
  });

  it("are what their bytes say, whatever their sender calls them, and the same one once", async () => {
    const first = await send(photoOf("image/png"), { type: "image/jpeg" });
    expect(first.json().type).toBe("image/png");
    const again = await send(photoOf("image/png"), { type: "image/webp", name: "operator" });
    expect(again.json().id).toBe(first.json().id);
    expect(service.records.photos.countOf("a1")).toBe(1);
    const other = await send(photoOf("image/png"), { alert: "a2" });
    expect(other.json().id).not.toBe(first.json().id);
  });

  it("are refused where they are none, too large, too many, or sent as something else", async () => {
    const page = await send(Buffer.from("<svg onload='x'/>"));
    expect([page.statusCode, page.json().detail]).toEqual([400, "This is no photo: JPEG, PNG and WebP are taken."]);
    expect((await send(photoOf("image/png"), { type: "text/html" })).statusCode).toBe(415);
    expect((await send(photoOf("image/png"), { type: "application/json" })).statusCode).toBe(400);
    expect((await press("photos", { url: "x" })).statusCode).toBe(415);
    expect((await send(Buffer.alloc(PHOTO_BYTES_MAX + 1))).statusCode).toBe(413);
    expect((await send(photoOf("image/png"), { alert: "none" })).statusCode).toBe(404);
    expect((await send(photoOf("image/png"), { name: "viewer" })).statusCode).toBe(403);
    for (let i = 0; i < PHOTOS_PER_ALERT_MAX; i += 1)
      service.records.photos.add({
        id: `${i}`.padStart(32, "0"),
        alert: "a1",
        type: "image/png",
        bytes: 1,
        by: "x",
        at: T0,
      });
    expect((await send(photoOf("image/png"))).statusCode).toBe(409);
    service.records.photos.add({
      id: "f".repeat(32),
      alert: "a2",
      type: "image/png",
      bytes: PHOTO_BYTES_MAX,
      by: "x",
      at: T0,
    });
    expect((await send(photoOf("image/png"), { alert: "a2" })).statusCode).toBe(503);
    expect((await press("acknowledge", { parts: "a fuse" })).json().errors).toMatchObject([{ pointer: "/parts" }]);
  });
});

describe("what a crew gives back", () => {
  const listed = async () =>
    (await service.as("crew", "GET", "/api/v1/crew")).json().alerts.map(({ id }: { id: string }) => id);

  it("is open, nobody's, and in no list of crews until somebody takes it up", async () => {
    await press("start", {});
    const back = (await press("return", { note: "No key to the cabinet" })).json();
    expect(back).toMatchObject({ handling: "open" });
    expect(back.assignee).toBeUndefined();
    expect(back.timeline.at(-1)).toMatchObject({ what: "returned", by: "crew", note: "No key to the cabinet" });
    expect(await listed()).toEqual(["a2"]);
    await press("assign", { assignee: "crew", note: "Key is at the gate" }, "a1", "operator");
    expect((await listed()).sort()).toEqual(["a1", "a2"]);
  });
});

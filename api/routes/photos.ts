import { z } from "zod";
import { AlertPath, PhotoBody, PhotoPath } from "../../contract/alert.ts";
import { PHOTO_BYTES_MAX, PHOTO_TYPE_NAMES, PHOTOS_PER_ALERT_MAX, photoFile } from "../../model/photo.ts";
import type { Api, Parts } from "../api.ts";
import { cleanPhoto, type PhotoRefusal } from "../clean-photo.ts";
import { answers, media, notFound, ProblemError } from "../problems.ts";

const tags = ["alerts"];
const add = {
  tags,
  summary: "A photo of what an alert is about, before it is said with close, return or comment (photos)",
  description: `JPEG, PNG or WebP of at most ${PHOTO_BYTES_MAX / 1024 / 1024} MiB, as they are. Place, device, time and whatever else is no picture are left out before it is kept. The same photo sent again is the same one.`,
  params: AlertPath,
  consumes: [...PHOTO_TYPE_NAMES],
  response: answers({ 201: PhotoBody }, 404, 409, 413, 415, 503),
};
const one = {
  tags,
  summary: "A photo that was taken of what an alert is about",
  params: PhotoPath,
  response: answers(
    { 200: media("The photo", Object.fromEntries(PHOTO_TYPE_NAMES.map((type) => [type, z.string()]))) },
    404,
  ),
};

const WHY: Readonly<Record<PhotoRefusal, string>> = {
  unknown: "This is no photo: JPEG, PNG and WebP are taken.",
  damaged: "This photo is not whole, or has parts that no photo has.",
  "too-large": "This photo has too many pixels.",
};

export function addPhotos(app: Api, { records, photos, auth }: Pick<Parts, "records" | "photos" | "auth">): void {
  app.register(async (own: Api) => {
    own.addContentTypeParser([...PHOTO_TYPE_NAMES], { parseAs: "buffer" }, (_request, body, done) => done(null, body));

    own.post("/alerts/:id/photos", { schema: add, bodyLimit: PHOTO_BYTES_MAX }, async (request, reply) => {
      const { id: alert } = request.params;
      if (!records.alerts.get(alert)) throw notFound("alert", alert);
      if (!Buffer.isBuffer(request.body)) throw new ProblemError("unsupported-media-type", WHY.unknown);
      const cleaned = cleanPhoto(request.body);
      if (typeof cleaned === "string") throw new ProblemError("invalid-request", WHY[cleaned]);
      const { type, bytes, width, height } = cleaned;
      const added = await photos.add({ alert, type, by: auth.account(request).name }, bytes);
      if (added === "many")
        throw new ProblemError("conflict", `This alert has ${PHOTOS_PER_ALERT_MAX} photos: no more are taken.`);
      if (added === "full") throw new ProblemError("unavailable", "There is no room for more photos.");
      return reply.code(201).send({ id: added.id, type, bytes: added.bytes, width, height });
    });
  });

  app.get("/alerts/:id/photos/:photo", { schema: one }, async (request, reply) => {
    const { id: alert, photo: id } = request.params;
    const photo = records.photos.get(alert, id);
    if (!photo) throw notFound("photo", id);
    const bytes = await photos.read(photo).catch(() => {
      throw notFound("photo", id);
    });
    return reply
      .type(photo.type)
      .header("x-content-type-options", "nosniff")
      .header("content-disposition", `inline; filename="${photoFile(photo)}"`)
      .header("content-security-policy", "default-src 'none'; sandbox")
      .send(bytes);
  });
}

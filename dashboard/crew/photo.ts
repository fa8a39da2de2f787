/** So large that a nameplate can be read, and so small that a slow line carries it within the time of a request. */
const SIDE_PX = 1_280;
const BYTES_MAX = 250_000;
/** Tried one after the other, until it is small enough. */
const QUALITIES = [0.8, 0.65, 0.5, 0.35];
const THUMB_PX = 128;

export type TakenPhoto = { readonly blob: Blob; readonly thumb: string };

/**
 * Draws the photo anew, smaller and as a JPEG: what the camera wrote beside the picture (place, device, time) stays behind.
 * Rejects what is no picture.
 */
export async function shrink(file: Blob): Promise<TakenPhoto> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const drawn = draw(picture, SIDE_PX);
    let blob = await jpegOf(drawn, QUALITIES[0]!);
    for (const quality of QUALITIES.slice(1)) if (blob.size > BYTES_MAX) blob = await jpegOf(drawn, quality);
    return { blob, thumb: draw(picture, THUMB_PX).toDataURL("image/jpeg", 0.7) };
  } finally {
    picture.close();
  }
}

function draw(picture: ImageBitmap, sidePx: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, sidePx / Math.max(picture.width, picture.height));
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function jpegOf(canvas: HTMLCanvasElement, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", quality),
  );
}

import type { Position } from "./distance.ts";

export type Device = "android" | "apple" | "other";

/** A phone has a map application of its own and a scheme that opens it; elsewhere there is a page. */
export function deviceOf(userAgent: string, isTouch: boolean): Device {
  if (/iPhone|iPad/.test(userAgent)) return "apple";
  return isTouch || /Android/.test(userAgent) ? "android" : "other";
}

/** RFC 5870 for `geo:`; its query with a name in brackets is what Android's map applications understand. */
export function mapLink({ lat, lon }: Position, name: string, device: Device): string {
  const at = `${lat},${lon}`;
  const label = encodeURIComponent(name.replaceAll(/[()]/g, " "));
  if (device === "android") return `geo:${at}?q=${at}(${label})`;
  if (device === "apple") return `maps:?ll=${at}&q=${label}`;
  return `https://www.openstreetmap.org/?mlat=${lat}&mlon=${lon}#map=18/${lat}/${lon}`;
}

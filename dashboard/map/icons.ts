import type { Kind } from "../../model/kinds.ts";

/** What a kind of sensor is known by, in a square of 12: a cloud, a car, a bolt. */
export const KIND_ICONS: Readonly<Record<Kind, string>> = {
  air: "M3.6 9.6a2.4 2.4 0 0 1 0-4.8 3 3 0 0 1 5.6.6 2.1 2.1 0 0 1-.1 4.2z",
  traffic: "M2 6.6 3.3 3.2h5.4L10 6.6v3.2H8.6V8.9H3.4v.9H2zM4.1 4.3 3.4 6.4h5.2l-.7-2.1z",
  energy: "M7.4.6 2.4 6.8h3L4.4 11.4l5.2-6.6H6.5z",
};

import type { Format } from "./format.ts";
import { json, plain } from "./json.ts";
import { lineProtocol } from "./line-protocol.ts";
import { chirpstack, tts } from "./lorawan.ts";
import { ngsi, ngsiV2 } from "./ngsi.ts";
import { prometheus } from "./prometheus.ts";
import { senml } from "./senml.ts";
import { sensorthings } from "./sensorthings.ts";

/** All formats of others, by the name that a mapping gives. */
export const FORMATS = {
  json,
  plain,
  tts,
  chirpstack,
  "line-protocol": lineProtocol,
  senml,
  "ngsi-ld": ngsi,
  "ngsi-v2": ngsiV2,
  sensorthings,
  prometheus,
} as const satisfies Readonly<Record<string, Format>>;

export type FormatName = keyof typeof FORMATS;
export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

import type { Format } from "./format.ts";
import { json, plain } from "./json.ts";
import { lineProtocol } from "./line-protocol.ts";
import { chirpstack, tts } from "./lorawan.ts";
import { ngsi, ngsiV2 } from "./ngsi.ts";
import { prometheus } from "./prometheus.ts";
import { senml } from "./senml.ts";
import { sensorthings } from "./sensorthings.ts";
import { sparkplug } from "./sparkplug.ts";

/** Formats of others, as a mapping names them. */
export const FORMAT_NAMES = [
  "json",
  "plain",
  "tts",
  "chirpstack",
  "line-protocol",
  "senml",
  "ngsi-ld",
  "ngsi-v2",
  "sensorthings",
  "prometheus",
  "sparkplug-b",
] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

export const FORMATS: Readonly<Record<FormatName, Format>> = {
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
  "sparkplug-b": sparkplug,
};

import { z } from "zod";

/** MQTT topic filters below city/: `+` stands alone in its level, `#` alone in the last one. */
const CITY_FILTER = /^city(\/(\+|[^+#/]*))*(\/(#|\+|[^+#/]+))$/;

/** An external broker: `mqtt://user:password@host:port`. */
export const mqttUrl = z
  .string()
  .transform(parseMqttUrl)
  .refine(
    (url) => url !== undefined,
    "mqtt://host:port or mqtts://host:port was expected, with user:password@ if needed",
  );

export const cityFilters = z
  .string()
  .default("city/#")
  .transform((list) => list.split(",").map((filter) => filter.trim()))
  .refine((list) => list.every((filter) => CITY_FILTER.test(filter)), "filters under city/ were expected, like city/#");

/** undefined for anything that is not an MQTT address. */
function parseMqttUrl(address: string) {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const isMqtt = url?.protocol === "mqtt:" || url?.protocol === "mqtts:";
  if (!url || !isMqtt || !url.hostname || url.pathname.length > 1 || url.search || url.hash) return undefined;
  if (url.password && !url.username) return undefined; // MQTT 3.1.1 does not allow it
  try {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      secure: url.protocol === "mqtts:",
      port: Number(url.port) || (url.protocol === "mqtts:" ? 8883 : 1883),
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
    };
  } catch {
    return undefined; // a stray % in the user name or password
  }
}

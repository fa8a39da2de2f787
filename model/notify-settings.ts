import { z } from "zod";
import { isForeignFilter } from "./topic-filter.ts";

/** What `app/config.ts` reads for the notifications. */
export type NotifySettings = {
  /** Where people open the page, for the links in messages. */
  readonly publicUrl?: string;
  readonly smtp?: SmtpSettings;
  /** Host names, addresses and networks that may be told although they are not public. */
  readonly allow: readonly string[];
  /** How long an alert that a common cause may explain waits for it. */
  readonly holdMs?: number;
};

export type SmtpSettings = {
  readonly url: string;
  readonly from: string;
  /** A password may be sent without TLS; only where somebody has named the host. */
  readonly plaintextAllowed?: boolean;
};

const NETWORK = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6(), z.hostname()]);

export const notifyAllow = z
  .string()
  .default("")
  .transform((list) =>
    list
      .split(",")
      .map((entry) => entry.trim())
      .filter(Boolean),
  )
  .refine(
    (list) => list.every((entry) => NETWORK.safeParse(entry).success),
    "host names, addresses and networks were expected, like hooks.internal,10.1.0.0/16",
  );

export const smtpUrl = z
  .string()
  .refine(
    (text) => /^smtps?:\/\/\S+$/.test(text) && URL.canParse(text) && new URL(text).hostname !== "",
    "smtp://host:port or smtps://host:port was expected, with user:password@ if needed",
  );

/** An address, or a name and an address: Lamppost <lamppost@city.example>. */
export const smtpFrom = z
  .string()
  .max(300)
  .refine((text) => {
    const match = /^[^<>\r\n]*<([^<>\s]+)>$/.exec(text);
    return z.email().safeParse(match ? match[1] : text).success;
  }, "an address was expected, like Lamppost <lamppost@city.example>");

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
  .refine(
    (list) => list.every((filter) => CITY_FILTER.test(filter) || isForeignFilter(filter)),
    "filters under city/ were expected, like city/#, or such as a mapping reads, like v3/#",
  );

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

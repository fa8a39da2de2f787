import { z } from "zod";

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

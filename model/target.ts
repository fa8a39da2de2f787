import { z } from "zod";
import { AUDIENCES, SEVERITIES } from "./alert.ts";
import { CHANNELS, hasUrl, TARGET_TYPES, type ToType } from "./channels.ts";
import { ID_PATTERN } from "./ids.ts";
import { LANGUAGES } from "./sentence.ts";
import { DAY_MS, HOUR_MS, parseDuration, WEEKDAYS } from "./time.ts";
import { isTimeZone } from "./zone.ts";

/** The secret of a webhook as the Standard Webhooks write it: `whsec_` and 24 to 64 bytes in base64. Undefined for others. */
export function whsecBytes(secret: string): Uint8Array | undefined {
  const text = /^whsec_([A-Za-z0-9+/]+)={0,2}$/.exec(secret)?.[1];
  if (text === undefined) return undefined;
  // A single letter at the end says nothing: it is left out, as Node's Buffer does. The page compiles this file, too.
  const bytes = Uint8Array.fromBase64(text.slice(0, text.length % 4 === 1 ? -1 : undefined));
  return bytes.length >= 24 && bytes.length <= 64 ? bytes : undefined;
}

export const TARGETS_MAX = 100;
const ADDRESSES_MAX = 20;

const id = z.string().regex(ID_PATTERN, "an id is 1 to 64 of a-z, 0-9 and -, and does not start with -");

function duration(minMs: number, maxMs: number, range: string) {
  return z.string().refine((text) => {
    const ms = durationMs(text);
    return ms >= minMs && ms <= maxMs;
  }, `write a whole number and s, m, h or d, such as 15m; ${range}`);
}

/** "0s" is allowed here, other than in rules: tell at once. NaN for what is none. */
export function durationMs(text: string): number {
  return text === "0s" ? 0 : (parseDuration(text) ?? Number.NaN);
}

const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "write hours and minutes, such as 22:00");
const zone = z.string().max(64).refine(isTimeZone, "there is no such time zone; write a name such as Europe/Vienna");

const quietHours = z.strictObject({
  /** The city's without it. */
  timeZone: zone.optional(),
  from: clock,
  /** At or before `from`: on the next day. */
  to: clock,
  /** The days on which it begins; every day when left out. */
  days: z.array(z.enum(WEEKDAYS)).min(1).max(7).optional(),
});

const fields = z.strictObject({
  name: z.string().trim().min(1).max(100),
  type: z.enum(TARGET_TYPES),
  url: z
    .url({ protocol: /^https?$/, error: "an https:// or http:// address was expected" })
    .max(2_000)
    .optional(),
  /** E-mail addresses separated by commas, or the MQTT topic `alerts/to/<name>`. */
  to: z.string().trim().min(1).max(2_000).optional(),
  secret: z
    .string()
    .refine((text) => whsecBytes(text) !== undefined, "whsec_ and 24 to 64 bytes in base64 were expected")
    .optional(),
  /** Everyone's alerts when left out. */
  audience: z.enum(AUDIENCES).optional(),
  severityMin: z.enum(SEVERITIES).default("info"),
  districts: z.array(id).min(1).max(100).optional(),
  rules: z.array(id).min(1).max(100).optional(),
  groupBy: z.enum(["district", "rule", "gateway"]).optional(),
  /** How long the first notice of a group waits for others. Critical ones do not wait. */
  groupWait: duration(0, HOUR_MS, "from 0s to 1h").default("30s"),
  quietHours: quietHours.optional(),
  /** In which its messages are written; the city's without it. */
  language: z.enum(LANGUAGES).optional(),
  /** Whose times they state: of its quiet hours, or the city's without it. */
  timeZone: zone.optional(),
  escalateAfter: duration(60_000, 7 * DAY_MS, "from 1m to 7d").optional(),
  escalateTo: id.optional(),
  enabled: z.boolean().default(true),
});

export type QuietHours = z.infer<typeof quietHours>;
export type TargetData = z.infer<typeof fields>;
export const targetFields = fields.shape;

export type Target = TargetData & {
  readonly id: string;
  readonly createdAt: number;
  readonly createdBy: string;
  /** The secret before the last change: signs beside the new one until then, so that a receiver can follow in its time. */
  readonly formerSecret?: { readonly secret: string; readonly until: number };
};

/** An address of a target that refuses its mails, while others take them. */
export type Refusing = { readonly address: string; readonly why: string; readonly at: number };

/** How it went with a target, as people see it. */
export type TargetState = {
  /** Attempts that failed since the last that worked. */
  readonly failures: number;
  readonly lastError?: string;
  readonly lastErrorAt?: number;
  readonly lastSentAt?: number;
  readonly refusing?: readonly Refusing[];
  /** The target said that it is gone for good (410). */
  readonly disabledBecause?: string;
};

type Mistake = { readonly field: keyof TargetData; readonly part?: string; readonly message: string };

/** What each field allows and together makes no sense. `id` is that of the target itself. */
export function targetMistakes(target: TargetData, id: string): Mistake[] {
  return [...addressMistakes(target), ...quietMistakes(target), ...escalationMistakes(target, id)];
}

/** From 22:00 to 22:00 of the next day, and again: on every day it would never end. */
function quietMistakes({ quietHours }: TargetData): Mistake[] {
  if (!quietHours || quietHours.from !== quietHours.to) return [];
  const message = `from ${quietHours.from} to ${quietHours.to} is a whole day; a target that is to hear nothing is switched off`;
  return [{ field: "quietHours", part: "to", message }];
}

function addressMistakes({ type, url, to, secret }: TargetData): Mistake[] {
  const mistakes: Mistake[] = [];
  if (hasUrl(type)) {
    if (url === undefined) mistakes.push({ field: "url", message: `a ${type} target needs a url` });
    if (to !== undefined) mistakes.push({ field: "to", message: `a ${type} target has a url, not a to` });
  } else if (url !== undefined) {
    mistakes.push({ field: "url", message: `a target of type ${type} has a to, not a url` });
  }
  if (url !== undefined && hasUserInfo(url)) mistakes.push({ field: "url", message: "leave user and password out" });
  const wrong = hasUrl(type) ? undefined : TO_MISTAKES[type](to);
  if (wrong !== undefined) mistakes.push({ field: "to", message: wrong });
  if (!CHANNELS[type].hasSecret && secret !== undefined)
    mistakes.push({ field: "secret", message: "only webhooks are signed with a secret" });
  return mistakes;
}

/** What people set up for themselves: no id that an admin can give has a colon. */
export const isPersonal = ({ id }: Pick<Target, "id">): boolean => id.includes(":");

const TO_MISTAKES: { readonly [T in ToType]: (to: string | undefined) => string | undefined } = {
  email: (to) =>
    areAddresses(to) ? undefined : `1 to ${ADDRESSES_MAX} e-mail addresses separated by commas were expected`,
  push: () => "people set up their browsers themselves, on the page of their account",
  mqtt: (to) =>
    /^alerts\/to\/[a-z0-9][a-z0-9-]{0,63}$/.test(to ?? "")
      ? undefined
      : "a topic of the form alerts/to/<name> was expected",
};

function escalationMistakes({ escalateAfter, escalateTo }: TargetData, id: string): Mistake[] {
  if ((escalateAfter === undefined) !== (escalateTo === undefined))
    return [{ field: "escalateTo", message: "escalateAfter and escalateTo go together" }];
  if (escalateTo === id) return [{ field: "escalateTo", message: "a target cannot escalate to itself" }];
  return [];
}

/** The addresses of an e-mail target. */
export function addressesOf(to: string): string[] {
  return to.split(",").map((address) => address.trim());
}

function areAddresses(to: string | undefined): boolean {
  if (to === undefined) return false;
  const list = addressesOf(to);
  return list.length <= ADDRESSES_MAX && list.every((one) => z.email().max(254).safeParse(one).success);
}

function hasUserInfo(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== "" || password !== "";
}

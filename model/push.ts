import { z } from "zod";
import { SEVERITIES } from "./alert.ts";
import { ID_PATTERN } from "./ids.ts";
import { LANGUAGES } from "./sentence.ts";
import { targetFields } from "./target.ts";

/** Browsers of one account, and of all. */
export const SUBSCRIPTIONS_MAX = 5;
export const SUBSCRIPTIONS_OF_ALL_MAX = 2_000;

/** Of which alerts somebody is told, when, and how. */
export const personalNotify = z.strictObject({
  push: z.boolean().default(false).describe("To the browsers one has set up"),
  mail: z.string().trim().max(254).pipe(z.email("an e-mail address was expected")).optional(),
  severityMin: z.enum(SEVERITIES).default("warning"),
  districts: z.array(z.string().regex(ID_PATTERN)).min(1).max(100).optional().describe("All when left out"),
  mine: z.boolean().default(false).describe("Only the districts in which one's crews work"),
  audience: targetFields.audience,
  quietHours: targetFields.quietHours,
  onCall: z.boolean().default(true).describe("false: nothing is told until it is true again"),
  language: z.enum(LANGUAGES).optional(),
});
export type PersonalNotify = z.infer<typeof personalNotify>;

/** What a browser gives a site that may push: where to, and what to encrypt with (RFC 8291). */
export type PushKeys = {
  /** Its public key on P-256, uncompressed, base64url. */
  readonly p256dh: string;
  /** 16 bytes, base64url. */
  readonly auth: string;
};

export type PushSubscription = {
  readonly id: number;
  readonly account: string;
  readonly endpoint: string;
  readonly keys: PushKeys;
  /** What its owner knows it by. */
  readonly label: string;
  readonly createdAt: number;
};

/** Targets of people themselves: no id of theirs can be one that an admin gives. */
export const personalTargets = (account: string) => ({ push: `push:${account}`, mail: `mail:${account}` }) as const;

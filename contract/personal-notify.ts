import { z } from "zod";
import { isPlain } from "../model/plain-text.ts";
import { personalNotify } from "../model/push.ts";
import { type Sent, Time, type View } from "./common.ts";

/** `PUT /session/notifications`: how one wants to be told oneself. */
export const PersonalWishes = personalNotify.meta({ id: "PersonalNotifications" });
export type PersonalWishes = Sent<typeof PersonalWishes>;

/** What `PushManager.subscribe` of a browser answers, as JSON, and what its owner calls it. */
export const NewBrowser = z
  .strictObject({
    endpoint: z.url({ protocol: /^https?$/, error: "an address was expected" }).max(1_000),
    keys: z.strictObject({
      p256dh: z.string().regex(/^[\w-]{80,100}={0,2}$/, "A public key in base64url."),
      auth: z.string().regex(/^[\w-]{20,30}={0,2}$/, "16 bytes in base64url."),
    }),
    label: z.string().trim().min(1).max(80).refine(isPlain, "Characters that control a terminal are not taken."),
  })
  .meta({ id: "NewBrowser" });
export type NewBrowser = Sent<typeof NewBrowser>;

export const BrowserBody = z
  .object({
    id: z.number().int(),
    label: z.string(),
    service: z.string().describe("The host of its push service; the rest of the address is a secret"),
    createdAt: Time,
  })
  .meta({ id: "Browser" });
export type BrowserView = View<typeof BrowserBody>;

const outcome = z
  .object({ lastSentAt: Time.optional(), lastError: z.string().optional(), lastErrorAt: Time.optional() })
  .optional();

export const PersonalNotifyBody = z
  .object({
    wishes: personalNotify,
    browsers: z.array(BrowserBody),
    publicKey: z.string().describe("applicationServerKey: what a browser subscribes to"),
    canMail: z.boolean().describe("Whether a mail server is set up"),
    state: z.object({ push: outcome, mail: outcome }).describe("How it went"),
  })
  .meta({ id: "PersonalNotificationsState" });
export type PersonalNotifyView = View<typeof PersonalNotifyBody>;

const tested = z.object({ sent: z.boolean(), error: z.string().optional() }).optional();
export const TestedBody = z.object({ push: tested, mail: tested });
export type TestedView = View<typeof TestedBody>;

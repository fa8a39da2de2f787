import { z } from "zod";
import { TOPIC_BYTES_MAX } from "../model/message.ts";
import { ROLES } from "../model/people.ts";
import { placeTagMistake } from "../model/place-tags.ts";
import { isPlain } from "../model/plain-text.ts";
import { isForeignFilter } from "../model/topic-filter.ts";
import { DistrictId, Flag, Id, KindName, Locale, paging, type Sent, Time, type View } from "./common.ts";
import { MapBody } from "./map.ts";

/** Roles of people and programs; devices and gateways have accounts of their own. */
export const USER_ROLES = ["viewer", "crew", "operator", "admin"] as const;
export const TAGS_MAX = 50;

const NOT_PLAIN = "Characters that control a terminal or turn the direction of a text are not taken.";

/** The fields of a sensor that people say. */
export const SENSOR = {
  name: z.string().trim().min(1).max(120).refine(isPlain, NOT_PLAIN),
  lat: z.number().min(-90).max(90),
  lon: z.number().min(-180).max(180),
  intervalS: z
    .number()
    .positive()
    .max(86_400 * 31),
  tagName: z
    .string()
    .min(1)
    .max(64, "The name of a tag has at most 64 characters.")
    .refine(isPlain, NOT_PLAIN)
    // Objects have one of their own: what is given under this name is lost on the way.
    .refine((name) => name !== "__proto__", "A tag cannot have this name."),
  tagValue: z.string().max(200, "A tag has at most 200 characters.").refine(isPlain, NOT_PLAIN),
};

/** Shown once: only the hash of the password is kept. Over HTTP the password is the bearer token. */
export const NewCredential = z
  .object({ username: z.string(), password: z.string().describe("Shown once") })
  .meta({ id: "NewCredential" });
export type CredentialView = View<typeof NewCredential>;

/** Who made an account, and when. */
const made = { createdAt: Time, createdBy: z.string() };
const former = {
  formerUntil: Time.optional().describe("The new password was not used yet: so long the one before is taken, too"),
};

const displayName = z.string().trim().min(1).max(120).refine(isPlain, NOT_PLAIN);
export const NewUser = z
  .strictObject({
    name: Id,
    role: z.enum(USER_ROLES),
    displayName: displayName.optional().describe("As people call them"),
  })
  .meta({ id: "NewUser" });
export type NewUser = Sent<typeof NewUser>;
export const UserBody = z
  .object({
    username: z.string(),
    role: z.enum(USER_ROLES),
    displayName: z.string().optional(),
    sessions: z.number().int().describe("In how many browsers they are signed in"),
    ...made,
  })
  .meta({ id: "User" });
export type UserView = View<typeof UserBody>;
/** `PATCH /users/{id}`: what is left out stays, null takes it away. */
export const UserChange = z
  .strictObject({ role: z.enum(USER_ROLES).optional(), displayName: displayName.nullable().optional() })
  .meta({ id: "UserChange" });
export type UserChange = Sent<typeof UserChange>;

/** A day, so that a crew can go there; at most a month. */
const OVERLAP_HOURS = 24;
const OVERLAP_HOURS_MAX = 31 * 24;
/** `POST /devices/{id}/rotate`, `POST /gateways/{id}/rotate`. */
export const Rotation = z
  .strictObject({
    overlapHours: z
      .number()
      .min(0)
      .max(OVERLAP_HOURS_MAX)
      .default(OVERLAP_HOURS)
      .describe("So long the password before is taken, too, unless the new one is used earlier; 0: not at all"),
  })
  .meta({ id: "PasswordRotation" });
export type Rotation = Sent<typeof Rotation>;
export const RotatedBody = NewCredential.extend(former).meta({ id: "RotatedCredential" });
export type RotatedView = View<typeof RotatedBody>;

/** What was removed and can be had back. */
export const RemovedBody = z
  .object({
    id: z.number().int(),
    what: z.enum(["user", "device", "gateway", "sensor", "target", "crew", "district"]),
    name: z.string(),
    at: Time,
    by: z.string(),
    until: Time.describe("So long it can be undone"),
  })
  .meta({ id: "Removed" });
export type RemovedView = View<typeof RemovedBody>;

/** What is to be read as a number or a list later is looked at where it is said. */
export function checkPlaceTags(tags: Readonly<Record<string, string | null>>, context: z.RefinementCtx): void {
  for (const [name, value] of Object.entries(tags)) {
    const message = value === null ? undefined : placeTagMistake(name, value);
    if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
  }
}

export const NewDevice = z
  .strictObject({
    sensorId: Id,
    kind: KindName,
    district: DistrictId,
    name: SENSOR.name.optional(),
    lat: SENSOR.lat.optional(),
    lon: SENSOR.lon.optional(),
    intervalS: SENSOR.intervalS.optional().describe("Seconds between readings"),
    tags: z
      .record(SENSOR.tagName, SENSOR.tagValue)
      .refine((all) => Object.keys(all).length <= TAGS_MAX, `At most ${TAGS_MAX} tags.`)
      .superRefine(checkPlaceTags)
      .optional()
      .describe("What rules may select by"),
  })
  .meta({ id: "NewDevice" });
export type NewDevice = Sent<typeof NewDevice>;
export const DeviceBody = z
  .object({ username: z.string(), sensorId: z.string(), kind: KindName, district: z.string(), ...former, ...made })
  .meta({ id: "Device" });
export type DeviceView = View<typeof DeviceBody>;
export const RemoveDeviceQuery = z.strictObject({ removeSensor: Flag });

/** Of one gateway: filters are compared with each topic it names. */
const ACCEPTS_MAX = 20;
const Acceptance = z.strictObject({
  mapping: Id.describe("The mapping that reads them"),
  topics: z
    .array(
      z
        .string()
        .max(TOPIC_BYTES_MAX)
        .refine(isForeignFilter, "A topic filter such as v3/+/devices/+/up, not below city, import, alerts or in."),
    )
    .max(ACCEPTS_MAX)
    .describe("MQTT topic filters; none: over HTTP only"),
});

export const NewGateway = z
  .strictObject({
    name: Id,
    districts: z.array(DistrictId).min(1).max(100),
    mayImport: z.boolean().optional().describe("May send history (only an admin can give this right)"),
    accepts: z.array(Acceptance).max(ACCEPTS_MAX).optional().describe("Formats of other makers that it may speak"),
  })
  .meta({ id: "NewGateway" });
export type NewGateway = Sent<typeof NewGateway>;
export const GatewayBody = z
  .object({
    username: z.string(),
    districts: z.array(z.string()),
    mayImport: z.boolean(),
    accepts: z.array(z.object({ mapping: z.string(), topics: z.array(z.string()) })).optional(),
    ...former,
    ...made,
  })
  .meta({ id: "Gateway" });
export type GatewayView = View<typeof GatewayBody>;
/** `PATCH /gateways/{id}`: what is left out stays, null takes it away; the password stays as it is. */
export const GatewayChange = z
  .strictObject({
    districts: NewGateway.shape.districts.optional(),
    mayImport: z.boolean().optional(),
    accepts: NewGateway.shape.accepts.nullable(),
  })
  .meta({ id: "GatewayChange" });
export type GatewayChange = Sent<typeof GatewayChange>;

const SignedIn = z.object({ name: z.string(), role: z.enum(ROLES) }).meta({ id: "SignedIn" });
const Secret = z.string().min(1).max(512);

export const SignIn = z
  .strictObject({ token: Secret.optional(), user: Id.optional(), password: Secret.optional() })
  .refine(({ token, user, password }) => (token ? !user && !password : user && password), {
    error: "Send a token, or a user and a password.",
  })
  .meta({ id: "SignIn" });
export type SignIn = Sent<typeof SignIn>;
export const StartedSessionBody = z.object({ user: SignedIn, expiresAt: Time });
export const SessionBody = z.object({
  user: SignedIn.optional(),
  publicPage: z.boolean(),
  tilesUrl: z.string().optional().describe("Map tiles in the background, with {z}/{x}/{y}"),
  map: MapBody.optional().describe("What maps are drawn from; for those who are signed in"),
  version: z.string(),
  timeZone: z.string().describe("Of the city: whose days and times the page shows"),
});
export type SessionView = View<typeof SessionBody>;
export const NewPassword = z
  .strictObject({ current: Secret, next: z.string().min(12).max(200) })
  .meta({ id: "NewPassword" });
export type NewPassword = Sent<typeof NewPassword>;

const auditFilter = {
  by: z.string().min(1).max(120).optional().describe("Who"),
  what: z.string().min(1).max(64).optional().describe("user.add; with a dot at its end all of a kind: user."),
  target: z.string().min(1).max(200).optional(),
  text: z.string().min(1).max(200).optional().describe("Somewhere in the entry, whatever the case"),
  from: z.string().min(1).max(40).optional().describe("Not before this time"),
  to: z.string().min(1).max(40).optional().describe("Before this time"),
};
export const AuditQuery = z.strictObject({ ...paging, ...auditFilter });
/** `GET /audit/export`. */
export const AuditExportQuery = z.strictObject({ ...auditFilter, format: z.enum(["csv", "ndjson"]), locale: Locale });

export const AuditEntryBody = z
  .object({
    id: z.number().int(),
    at: Time,
    by: z.string(),
    // "device.add", "alert.acknowledge", "auth.refused", …
    what: z.string(),
    target: z.string(),
    detail: z.string().optional(),
    hash: z.string().describe("SHA-256 over the entry before and this one"),
  })
  .meta({ id: "AuditEntry" });
export type AuditEntryView = View<typeof AuditEntryBody>;
export const AuditCheckBody = z.object({
  entries: z.number().int(),
  intact: z.boolean(),
  brokenAt: z.number().int().optional().describe("The first entry whose hash does not fit"),
});
export type AuditCheckView = View<typeof AuditCheckBody>;

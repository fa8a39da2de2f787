import { z } from "zod";
import { Id, type Sent, Time, type View } from "./common.ts";

/** A text of 256 KiB has some thousand sensors. */
export const MAPPING_CHARS_MAX = 256 * 1024;
export const SAMPLE_CHARS_MAX = 128 * 1024;
const yaml = z.string().min(1).max(MAPPING_CHARS_MAX);
const reason = z.string().trim().min(3).max(500);

/** `PUT /mappings/{id}`. */
export const NewMapping = z.strictObject({ yaml, reason }).meta({ id: "NewMapping" });
export type NewMapping = Sent<typeof NewMapping>;

const MistakeBody = z.object({
  file: z.string(),
  line: z.number().int(),
  column: z.number().int(),
  message: z.string(),
});

/** `POST /mappings/check`. */
export const MappingText = z.strictObject({ yaml }).meta({ id: "MappingText" });
export const MappingCheckBody = z
  .object({ ok: z.boolean(), mistakes: z.array(MistakeBody) })
  .meta({ id: "MappingCheck" });
export type MappingCheckView = View<typeof MappingCheckBody>;

const small = z.record(z.string().max(64), z.string().max(1_000)).optional();
/** A message as a sender would send it. */
const Sample = {
  topic: z.string().max(256).optional().describe("Of MQTT; without it the message came over HTTP"),
  headers: small,
  query: small,
  path: z.string().max(256).optional().describe("What stands behind /in/<mapping>/"),
  payload: z.string().max(SAMPLE_CHARS_MAX).optional().describe("As text"),
  base64: z.string().max(SAMPLE_CHARS_MAX).optional().describe("Or its bytes"),
  receivedAt: z.string().max(40).optional(),
};

/** `POST /mappings/try`. */
export const MappingTrial = z
  .strictObject({ yaml: yaml.optional(), mapping: Id.optional(), ...Sample })
  .refine((one) => (one.yaml === undefined) !== (one.mapping === undefined), { error: "Send yaml, or mapping." })
  .refine((one) => (one.payload === undefined) !== (one.base64 === undefined), { error: "Send payload, or base64." })
  .meta({ id: "MappingTrial" });
export type MappingTrial = View<typeof MappingTrial>;

export const MappingTrialBody = z
  .object({
    mistakes: z.array(MistakeBody),
    readings: z.array(
      z.object({
        sensorId: z.string(),
        kind: z.string(),
        district: z.string(),
        measuredAt: Time,
        values: z.record(z.string(), z.number()),
      }),
    ),
    refused: z.array(
      z.object({ index: z.number().int(), reason: z.string(), detail: z.string(), metric: z.string().optional() }),
    ),
    fields: z.array(z.object({ sensorId: z.string(), name: z.string() })).describe("Fields that are not taken"),
    statuses: z.array(z.object({ sensorId: z.string(), online: z.boolean() })),
    ignored: z.number().int(),
  })
  .meta({ id: "MappingTrialResult" });
export type MappingTrialView = View<typeof MappingTrialBody>;

export const MappingBody = z
  .object({
    id: z.string(),
    version: z.number().int(),
    format: z.string(),
    title: z.string().optional(),
    sensors: z.number().int().describe("Named one by one"),
    topics: z.array(z.string()).describe("Of an external broker"),
    at: Time,
    by: z.string(),
    reason: z.string(),
    yaml: z.string().optional().describe("Where one is asked for"),
    waiting: z.number().int().optional().describe("Where one is asked for: messages in quarantine that it reads now"),
  })
  .meta({ id: "Mapping" });
export type MappingView = View<typeof MappingBody>;

export const MappingChangeBody = z
  .object({
    id: z.number().int(),
    mapping: z.string(),
    version: z.number().int(),
    at: Time,
    by: z.string(),
    reason: z.string(),
    fromSeq: z.number().int().describe("Messages of the journal from here on are read by it"),
    text: z.string().optional().describe("Absent where it was removed"),
  })
  .meta({ id: "MappingChange" });
export type MappingChangeView = View<typeof MappingChangeBody>;
export type MappingChange = Omit<MappingChangeView, "at"> & { readonly at: number };

/** A sender whose messages no mapping takes. */
export const UnmappedBody = z
  .object({
    mapping: z.string().optional().describe("The mapping it was sent to; absent where there is none for its topic"),
    device: z.string().describe("As it calls itself, or its topic"),
    sender: z.string().describe("The account it came through"),
    topic: z.string(),
    count: z.number().int(),
    firstSeen: Time,
    lastSeen: Time,
    payload: z.string().describe("The last one; base64 where it is no text, nothing where it may not be kept"),
    isText: z.boolean(),
  })
  .meta({ id: "UnmappedSender" });
export type UnmappedView = View<typeof UnmappedBody>;

/** `GET /unmapped/suggestion`. */
export const SuggestionQuery = z.strictObject({ device: z.string().max(256), mapping: Id.optional() });
export const SuggestionBody = z
  .object({
    mapping: z.string().describe("Its id; of a new one a proposal"),
    isNew: z.boolean(),
    yaml: z.string().describe("With the sender in it"),
    sender: UnmappedBody,
  })
  .meta({ id: "MappingSuggestion" });
export type SuggestionView = View<typeof SuggestionBody>;

/** `GET /mappings/{id}/messages`. */
export const SeenMessageBody = z
  .object({
    what: z.enum(["read", "unmapped", "refused"]).describe("What became of it"),
    topic: z.string(),
    receivedAt: Time,
    payload: z.string().describe("Base64 where it is no text"),
    isText: z.boolean(),
    device: z.string().optional().describe("Of an unmapped sender"),
    detail: z.string().optional().describe("Why it was refused"),
    quarantined: z.number().int().optional().describe("Its id there"),
  })
  .meta({ id: "SeenMessage" });
export type SeenMessageView = View<typeof SeenMessageBody>;

export const BaseBody = z
  .object({ name: z.string(), title: z.string(), source: z.string(), format: z.string(), note: z.string().optional() })
  .meta({ id: "MappingBase" });
export type BaseView = View<typeof BaseBody>;

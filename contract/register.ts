import { z } from "zod";
import { checkPlaceTags, NewCredential, SENSOR } from "./account.ts";
import { DistrictId, Flag, Id, Locale, type Sent, Time, type View } from "./common.ts";
import { SensorBody } from "./reading.ts";

/** `PATCH /sensors/{id}` (RFC 7386): what is left out stays, null takes it away. */
export const SensorChange = z
  .strictObject({
    name: SENSOR.name.nullable().optional(),
    district: DistrictId.optional().describe(
      "It moves there: its history stays with where it stood, its password goes along",
    ),
    lat: SENSOR.lat.nullable().optional(),
    lon: SENSOR.lon.nullable().optional(),
    intervalS: SENSOR.intervalS.nullable().optional().describe("Seconds between readings; null: the rules estimate it"),
    tags: z
      .record(SENSOR.tagName, SENSOR.tagValue.nullable())
      .superRefine(checkPlaceTags)
      .optional()
      .describe(
        "Those named are set, or with null taken away; nominalVoltage, nominalFrequency and altitude among them",
      ),
    gateway: Id.nullable().optional().describe("Which gateway speaks for it: rules tell its outage from the sensor's"),
    replaces: Id.nullable().optional().describe("The sensor whose place it took: that one is taken off the register"),
    replacesFrom: Time.optional().describe("Since when; without it since this sensor was added"),
  })
  .meta({ id: "SensorChange" });
export type SensorChange = Sent<typeof SensorChange>;

export const ChangedSensorBody = SensorBody.extend({
  advice: z.array(z.string()).describe("What is left to be done elsewhere, such as a device's new topic"),
}).meta({ id: "ChangedSensor" });
export type ChangedSensorView = View<typeof ChangedSensorBody>;

/** `GET /register`. */
export const ExportQuery = z.strictObject({ locale: Locale });
/** `POST /register`, with CSV as the body. */
export const ImportQuery = z.strictObject({ dryRun: Flag.describe("Only say what would be done, and every mistake") });

export const RegisterImportBody = z
  .object({
    applied: z.boolean(),
    added: z.number().int(),
    changed: z.number().int(),
    unchanged: z.number().int(),
    mistakes: z
      .array(z.object({ line: z.number().int(), column: z.string().optional(), detail: z.string() }))
      .describe("The first 1,000; with one of them nothing is changed"),
    mistakesInAll: z.number().int(),
    passwords: z.array(NewCredential).describe("Of those that were to have one of their own. Shown once"),
  })
  .meta({ id: "RegisterImport" });
export type RegisterImportView = View<typeof RegisterImportBody>;

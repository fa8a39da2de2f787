import { z } from "zod";
import { AlertBody } from "./alert.ts";
import { Flag, Time, type View } from "./common.ts";
import { CorrectionBody } from "./correction.ts";
import { HandoverBody } from "./handover.ts";
import { IncidentNewsBody } from "./incident.ts";
import { ReadingBody } from "./reading.ts";

const EventId = z.string().regex(/^\d{1,15}$/, "An event id is a whole number.");

export const EventsQuery = z.strictObject({
  readings: Flag,
  lastEventId: EventId.optional().describe("For clients that cannot set the header"),
});
export const EventsHeaders = z.looseObject({ "last-event-id": EventId.optional() });

/** The events of `GET /events` by name, and what the `data:` of each holds as JSON. */
export const EVENTS = {
  /** Something happened to an alert. Its `id:` is durable: come back with it and nothing is missed. */
  alert: z.object({ at: Time, what: z.string(), alert: AlertBody }),
  /** An incident began, changed or is over, or alerts joined or left it. Its `id:` is durable, too. */
  incident: IncidentNewsBody,
  /** With `readings=true`: readings as they come, without an id. */
  readings: z.array(ReadingBody),
  /** A correction was added or revoked: what was read of the sensor may be read differently now. Without an id. */
  correction: z.object({ what: z.enum(["added", "revoked"]), correction: CorrectionBody }),
  /** A note of a shift was written, or somebody has read one. Without an id. */
  handover: z.object({ note: HandoverBody }),
  /**
   * Some alert events between the last one the client has seen and the next one here are gone, or it has seen those of
   * another life of this service (a restored backup): what it knows may be wrong, and it should load everything anew.
   */
  reset: z.object({ reason: z.enum(["removed", "restored"]) }),
  /** About so many live readings were left out here. */
  missed: z.object({ readings: z.number().int() }),
};
export type EventName = keyof typeof EVENTS;
export type EventData = { readonly [Name in EventName]: View<(typeof EVENTS)[Name]> };

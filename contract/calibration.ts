import { z } from "zod";
import type { Calibration } from "../model/calibration.ts";
import { METRIC_NAMES, type MetricName } from "../model/metrics.ts";
import { type Mirrors, type Provided, type Sent, Time, type View } from "./common.ts";

const Moment = z.union([z.string().max(40), z.number()]).describe("ISO 8601 with a zone, or epoch milliseconds");
const metric = z.enum(METRIC_NAMES as unknown as [MetricName, ...MetricName[]]);

/** `POST /sensors/{id}/calibrations`. */
export const NewCalibrationBody = z
  .strictObject({
    metric,
    factor: z.number().default(1).describe("Right is value x factor + offset"),
    offset: z.number().default(0),
    from: Moment.optional().describe("Of what was measured from then on; now if it is left out"),
    to: Moment.optional().describe("Exclusive; until it is ended or a newer one counts"),
    certificate: z.string().trim().min(3).max(500).describe("Who calibrated it, when, against what"),
  })
  .meta({ id: "NewCalibration" });
export type NewCalibrationBody = Sent<typeof NewCalibrationBody>;

export const CalibrationBody = z
  .object({
    id: z.number().int(),
    sensorId: z.string(),
    metric,
    factor: z.number(),
    offset: z.number(),
    from: Time,
    to: Time.optional(),
    certificate: z.string(),
    by: z.string(),
    at: Time,
    endedAt: Time.optional(),
    endedBy: z.string().optional(),
  })
  .meta({ id: "Calibration" });
type Body = View<typeof CalibrationBody>;
export type CalibrationView = Provided<Body, Mirrors<Body, Calibration, "from" | "to" | "at" | "endedAt">>;

const iso = (time: number) => new Date(time).toISOString();

export function viewCalibration({ from, to, at, endedAt, ...rest }: Calibration): CalibrationView {
  return {
    ...rest,
    from: iso(from),
    at: iso(at),
    ...(to === undefined ? {} : { to: iso(to) }),
    ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
  };
}

import type { Reason } from "../../model/rejection.ts";

/** Why something was refused, in short. */
export const reasons: Readonly<Record<Reason, string>> = {
  malformed_json: "Not valid JSON",
  malformed_reading: "Not a reading",
  unknown_topic: "Unknown topic",
  not_allowed: "Topic not allowed",
  bad_status: "Not a status",
  unknown_metric: "Unknown metric",
  unknown_sensor: "Unknown sensor",
  enrolment_quota: "Too many new sensors",
  wrong_sensor: "Wrong district or kind",
  personal_data: "Personal data",
  wrong_type: "Not a number",
  out_of_range: "Impossible value",
  no_values: "No values",
  bad_timestamp: "Unreadable time",
  future: "From the future",
  too_late: "Too late",
  too_large: "Too large",
  conflict: "Conflicts with a stored reading",
  unmapped: "Sender not mapped",
  simulated: "Simulated",
  store_refused: "Refused by the store",
};

import type { Reason } from "../../model/rejection.ts";

/** Why something was refused, in short. */
export const reasons: Readonly<Record<Reason, string>> = {
  malformed_json: "Kein gültiges JSON",
  malformed_reading: "Kein Messwert",
  unknown_topic: "Unbekanntes Topic",
  not_allowed: "Topic nicht erlaubt",
  bad_status: "Kein Status",
  unknown_metric: "Unbekannte Messgröße",
  unknown_sensor: "Unbekannter Sensor",
  enrolment_quota: "Zu viele neue Sensoren",
  wrong_sensor: "Anderer Bezirk oder andere Art",
  personal_data: "Personenbezogene Daten",
  wrong_type: "Keine Zahl",
  out_of_range: "Unmöglicher Wert",
  no_values: "Keine Werte",
  bad_timestamp: "Zeit nicht lesbar",
  future: "Aus der Zukunft",
  too_late: "Zu spät",
  too_large: "Zu groß",
  conflict: "Widerspricht einem anderen",
  unmapped: "Absender ohne Zuordnung",
  simulated: "Simuliert",
  store_refused: "Vom Speicher abgelehnt",
};

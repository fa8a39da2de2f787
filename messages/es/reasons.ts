import type { Reason } from "../../model/rejection.ts";

/** Why something was refused, in short. */
export const reasons: Readonly<Record<Reason, string>> = {
  malformed_json: "JSON no válido",
  malformed_reading: "No es una lectura",
  unknown_topic: "Tema desconocido",
  not_allowed: "Tema no permitido",
  bad_status: "No es un estado",
  unknown_metric: "Magnitud desconocida",
  unknown_sensor: "Sensor desconocido",
  enrolment_quota: "Demasiados sensores nuevos",
  wrong_sensor: "Otro distrito o tipo",
  personal_data: "Datos personales",
  wrong_type: "No es un número",
  out_of_range: "Valor imposible",
  no_values: "Sin valores",
  bad_timestamp: "Hora ilegible",
  future: "Del futuro",
  too_late: "Demasiado tarde",
  too_large: "Demasiado grande",
  conflict: "Contradice otra guardada",
  unmapped: "Emisor sin correspondencia",
  simulated: "Simulada",
  store_refused: "Rechazada por el almacén",
};

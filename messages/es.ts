import { metrics } from "./es/metrics.ts";
import { reasons } from "./es/reasons.ts";
import { sentences } from "./es/sentences.ts";
import { sources } from "./es/sources.ts";
import type { Pack } from "./pack.ts";

const RATINGS: Readonly<Record<string, string>> = {
  ratedCurrent: "de la corriente nominal",
  freeFlowSpeed: "de la velocidad en flujo libre",
};

export const es: Pack = {
  language: "es",
  locale: "es-ES",
  sentences,
  metrics,
  reasons,
  airQuality: [
    "buena",
    "razonablemente buena",
    "regular",
    "desfavorable",
    "muy desfavorable",
    "extremadamente desfavorable",
  ],
  airQualityClass: (number, name) => `clase ${number}${name && ` (${name})`}`,
  units: { veh: "veh.", "veh/h": "veh./h", persons: "personas", sensors: "sensores" },
  sources,
  shareOf: (percent, tag) => `${percent} ${RATINGS[tag] ?? `de «${tag}»`}`,
  days: ["día", "días"],
  notices: {
    happened: {
      firing: "",
      resolved: "resuelta",
      retracted: "retirada",
      escalated: "escalada",
      reminder: "sigue",
    },
    severity: { info: "información", warning: "aviso", critical: "crítica" },
    verdict: { event: "suceso", "sensor-fault": "fallo del sensor", unclear: "sin determinar" },
    kind: { air: "aire", traffic: "tráfico", energy: "energía", service: "servicio" },
    facts: {
      where: "Lugar",
      since: "Desde",
      until: "Hasta",
      verdict: "Valoración",
      corrected: "Corregida por",
      incident: "Incidente",
      advice: "Qué hacer",
      source: "Origen del límite",
      zone: "Horas de",
      alert: "Alerta",
    },
    ofIncident: (alerts, firing) => `${alerts} alertas con una misma causa, ${firing} de ellas activas`,
    lateReading: (sensor, measured) => `una medición tardía de ${sensor}, medida ${measured.at}`,
    digest: (count, parts) => `${count} alertas: ${parts}`,
    fresh: "nuevas",
    more: (count) => `y ${count} más`,
    open: "Abrir la alerta",
  },
  moment(time, date, zone) {
    const clock = `${time.startsWith("01:") ? "la" : "las"} ${time}${zone ? ` (${zone})` : ""}`;
    const plain = zone ? `${time} (${zone})` : time;
    if (!date) return { text: plain, at: `a ${clock}`, since: `desde ${clock}`, until: `hasta ${clock}` };
    const day = `el ${date} a ${clock}`;
    return { text: `${date}, ${plain}`, at: day, since: `desde ${day}`, until: `hasta ${day}` };
  },
};

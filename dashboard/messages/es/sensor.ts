import type { sensor as en } from "../en/sensor.ts";

export const sensor: typeof en = {
  notFound: "Este sensor no existe",
  nothingYet: "No ha enviado nada desde que se inició el servicio. Su historial aparecerá con la próxima medición.",
  online: "Conectado",
  offline: "Desconectado",
  every: (seconds) => `cada ${seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`}`,
  values: "Últimos valores",
  device: "El propio dispositivo",
  suspect: "inverosímil",
  history: "Historial",
  metric: "Valor",
  spanLabel: "Cuánto",
  spans: { "1h": "1 hora", "6h": "6 horas", "1d": "1 día", "7d": "7 días", "30d": "30 días", "1y": "1 año" },
  zoomHint: "Arrastre sobre una parte del gráfico para verla más grande.",
  chartLabel: (metric, name) => `${metric} en ${name} a lo largo del tiempo. Los valores están en la tabla de abajo.`,
  alerts: "Sus alertas",
  noAlerts: "No ha generado alertas.",
  rules: (n) => (n === 1 ? "1 regla lo vigila" : `${n} reglas lo vigilan`),
};

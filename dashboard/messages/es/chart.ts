import type { chart as en } from "../en/chart.ts";

export const chart: typeof en = {
  asTable: "Los valores en una tabla",
  time: "Hora",
  newest: (n) => `Se muestran los ${n} más recientes.`,
  failed: "No se pudo cargar el gráfico. La tabla contiene los valores.",
  noData: "Sin mediciones en este periodo.",
  limit: (value) => `límite ${value}`,
  clear: (value) => `fin en ${value}`,
  firing: "La alerta",
  window: "Ventana",
  suspect: "Valores inverosímiles",
  gap: "Sin datos",
};

import type { chart as en } from "../en/chart.ts";

export const chart: typeof en = {
  asTable: "Die Werte als Tabelle",
  time: "Zeit",
  newest: (n) => `Die neuesten ${n} werden gezeigt.`,
  failed: "Das Diagramm konnte nicht geladen werden. Die Tabelle enthält die Werte.",
  noData: "Keine Messwerte in dieser Zeit.",
  limit: (value) => `Grenze ${value}`,
  clear: (value) => `Ende bei ${value}`,
  firing: "Die Meldung",
  window: "Fenster",
  suspect: "Unplausible Werte",
  gap: "Keine Daten",
};

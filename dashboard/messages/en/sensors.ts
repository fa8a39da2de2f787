import { DERIVED, METRICS, type RuleMetric } from "../../../model/metrics.ts";

export const sensor = {
  notFound: "Sensor not found",
  nothingYet: "It has sent nothing since the service started. Its history appears with its next reading.",
  online: "Online",
  offline: "Offline",
  every: (seconds: number) => `every ${seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`}`,
  values: "Latest values",
  device: "The device itself",
  corrected: "corrected",
  invalid: "invalid",
  clock: "Clock not set: time of receipt",
  late: "Came late",
  suspect: "implausible",
  history: "History",
  metric: "Value",
  spanLabel: "Period",
  spans: { "1h": "1 hour", "6h": "6 hours", "1d": "1 day", "7d": "7 days", "30d": "30 days", "1y": "1 year" },
  zoomHint: "Drag across the chart to zoom in.",
  chartLabel: (metric: string, name: string) => `${metric} at ${name} over time. The values are in the table below.`,
  alerts: "Its alerts",
  noAlerts: "It has raised no alerts.",
  corrections: {
    title: "Corrections",
    add: "Correct readings",
    what: "What was wrong",
    kinds: { invalid: "Invalid", value: "Another value", factor: "Another unit", shift: "Another time" },
    from: "From",
    to: "To",
    metric: "Value",
    allMetrics: "All values",
    value: "The right value",
    factor: "Factor",
    factorHint: "Right is value × factor + offset.",
    offset: "Offset",
    shiftS: "Seconds later",
    shiftHint: "Below zero: earlier.",
    reason: "Reason",
    revoke: "Revoke",
    revoked: "Revoked",
    effect: (readings: number, alerts: number) =>
      `${readings} readings are read differently, ${alerts} alerts rest on them.`,
  },
  rules: (n: number) => (n === 1 ? "1 rule watches it" : `${n} rules watch it`),
};

export const chart = {
  asTable: "The values as a table",
  time: "Time",
  newest: (n: number) => `The newest ${n} are shown.`,
  failed: "The chart could not be loaded. The table has the values.",
  replaced: "Replaced here",
  noData: "No readings in this period.",
  limit: (value: string) => `limit ${value}`,
  clear: (value: string) => `clear at ${value}`,
  firing: "The alert",
  window: "Window",
  suspect: "Implausible values",
  gap: "No data",
};

/** What is measured, in words. The model's table has them in English. */
export const metrics = Object.fromEntries(
  Object.entries({ ...METRICS, ...DERIVED }).map(([name, { label }]) => [name, label]),
) as Readonly<Record<RuleMetric, string>>;

export const chart = {
  asTable: "The values as a table",
  time: "Time",
  newest: (n: number) => `The newest ${n} are shown.`,
  failed: "The chart could not be loaded. The table has the values.",
  noData: "No readings in this time.",
  limit: (value: string) => `limit ${value}`,
  clear: (value: string) => `clear at ${value}`,
  firing: "The alert",
  window: "Window",
  suspect: "Implausible values",
  gap: "No data",
};

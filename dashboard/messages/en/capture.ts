export const capture = {
  title: "Data capture",
  hint: "The share of expected values that came, for each sensor and month.",
  year: "Year",
  sensor: "Sensor",
  metric: "Value",
  only: (sensor: string) => `Only ${sensor} ×`,
  table: (year: number) => `Data capture in ${year}`,
  gaps: "Gaps",
  silent: "Silent for",
  corrections: "Corrections",
  notes: "Notes",
  more: "Show more sensors",
  all: "Show all",
  nothing: (year: number) => `No values are kept of ${year}.`,
  without: (n: number) =>
    n === 1 ? "1 sensor sent no values in this year:" : `${n} sensors sent no values in this year:`,
  noShare: "Nobody knows how often it should send: too few values came.",
  detail: (values: string, expected: string, gaps: number, longest: string) =>
    `${values} of about ${expected} values. ${gaps === 1 ? "1 gap" : `${gaps} gaps`}${gaps > 0 ? `, the longest ${longest}` : ""}.`,
  hours: (valid: string, all: string) => `${valid} of ${all} hours have at least 75 % of their values.`,
  every: (interval: string) => `every ${interval}`,
  legendTitle: "How to read this",
  legend: (enough: string, little: string) =>
    `Below ${enough} is shaded, below ${little} underlined. A dot is a month before the sensor was there, or yet to come. Suspect values count as missing. Gaps are whole hours without a value.`,
  marks: {
    "interval-learnt": "learnt",
    "no-interval": "no interval",
    "hours-only": "hours only",
    "days-only": "days only",
    "before-registered": "history",
    "invalid-left-out": "invalid",
    moved: "moved",
    "not-over": "running",
  },
  unknown: {
    "interval-learnt":
      "No interval is declared: what was expected follows from how often the sensor sent around each hour. A sensor that always loses the same share looks complete.",
    "no-interval": "Too few values to say how often it should send: there is no share.",
    "hours-only":
      "Of a part of this time only hourly figures are left: gaps of less than an hour cannot be seen, and an invalid value takes its whole hour with it.",
    "days-only":
      "Of a part of this time only daily figures are left: gaps of less than a day cannot be seen, and days are those of UTC.",
    "before-registered":
      "Values are older than the sensor's entry in the register. They count from the first value on.",
    "invalid-left-out": "People called values invalid. They count as missing.",
    moved: "The sensor stood elsewhere for a part of this time.",
    "not-over": "The year is not over: it counts up to now.",
  },
};

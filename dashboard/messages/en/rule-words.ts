type Unit = "s" | "m" | "h" | "d";

const NUMBERS = ["", "", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
const EACH: Readonly<Record<string, string>> = { m: "one-minute", h: "hourly", d: "daily" };
const ONE: Readonly<Record<string, string>> = { s: "second", m: "minute", h: "hour", d: "day" };
const AGGREGATES: Readonly<Record<string, string>> = { mean: "mean", min: "minimum", max: "maximum" };

/** A rule in words, from the parts of its condition. What is handed in is worded already: values with units, spans of time. */
export const ruleWords = {
  fires: (clause: string) => `Fires when ${clause}.`,
  ends: (clause: string) => `Ends when ${clause}.`,
  plain: (metric: string) => metric,
  windowed: (aggregate: string, count: number, unit: Unit, metric: string) =>
    `the ${count === 1 ? EACH[unit] : `${count}-${ONE[unit]}`} ${AGGREGATES[aggregate]} of ${metric}`,
  above: (subject: string, limit: string, held = "", row = "") => `${subject} is above ${limit}${held}${row}`,
  below: (subject: string, limit: string, held = "", row = "") => `${subject} is below ${limit}${held}${row}`,
  held: (span: string) => ` for ${span}`,
  row: (count: number, size: number, unit: Unit) =>
    ` in ${NUMBERS[count] ?? count} ${size === 1 ? `${ONE[unit]}s` : `windows of ${size} ${ONE[unit]}s`} in a row`,
  atMost: (limit: string, held = "") => `it is at or below ${limit}${held}`,
  atLeast: (limit: string, held = "") => `it is at or above ${limit}${held}`,
  windowBack: (limit: string) => `a window is at or below ${limit}, or three windows have too little data`,
  share: (percent: string, tag: string) => `${percent} of the sensor's “${tag}”`,
  tag: (tag: string) => `the sensor's “${tag}”`,
  aqiClass: (value: number) => `class ${value}`,
  silent: (after: string) => `a sensor sends nothing for ${after} and for three of its usual intervals`,
  missing: (metric: string, after: string) =>
    `no value of ${metric} comes for ${after} and for three of its usual intervals, while the sensor sends others`,
  heardAgain: "a reading comes again",
  rises: (metric: string, by: string, within: string) => `${metric} rises by ${by} or more within ${within}`,
  falls: (metric: string, by: string, within: string) => `${metric} falls by ${by} or more within ${within}`,
  calm: (span: string) => `there has been no such change for ${span}`,
  noChange: "there is no such change any more",
  stuck: (metric: string, after: string, samples: number, tolerance: string) =>
    `the value of ${metric} stays the same${tolerance === "" ? "" : ` within ${tolerance}`} for ${after}, over at least ${samples} values`,
  moves: "another value comes",
  ignores: (floor: string, ceiling: string) =>
    `Values ${[floor && `at or below ${floor}`, ceiling && `at or above ${ceiling}`].filter(Boolean).join(" and ")} do not count.`,
  spike: (count: number, metric: string, above: string, within: string) =>
    count === 1
      ? `a single value of ${metric} stands out from those beside it by more than ${above}`
      : `${NUMBERS[count] ?? count} single values of ${metric} within ${within} stand out from those beside them by more than ${above}`,
  spikesOver: (within: string) => `there is no other for ${within}`,
  unusual: (subject: string, sigmas: string, side: string, season: string, atLeast: string, row: string) =>
    `${subject} is more than ${sigmas} robust standard deviations${atLeast === "" ? "" : `, and at least ${atLeast},`} ${
      { above: "above", below: "below" }[side] ?? "away from"
    } what is usual ${{ week: "at this hour of the week", day: "at this time of day" }[season] ?? "for the sensor"}${row}`,
  usualAgain: "a window is within half of that distance, or three windows have too little data",
  willBeAbove: (metric: string, limit: string, within: string, over: string) =>
    `${metric} will be above ${limit} within ${within} if it goes on as in the last ${over}`,
  willBeBelow: (metric: string, limit: string, within: string, over: string) =>
    `${metric} will be below ${limit} within ${within} if it goes on as in the last ${over}`,
  trendGone: "the trend is gone or needs clearly longer",
  register: (metric: string, maxPower: string) =>
    `the meter of ${metric} falls, or rises faster than ${maxPower} allows`,
  registerBack: "three plausible steps that span an hour have come",
  drift: (metric: string, share: string, span: string, neighbours: number, radiusKm: number) =>
    `the daily median of ${metric} is off that of its neighbours by more than ${share}, to one side, for ${span} (at least ${neighbours} neighbours within ${radiusKm} km that moved alike)`,
  driftBack: "it is within that for three days in a row",
  quorum: (count: number, share: string, rule: string, where: string, within: string) =>
    `at least ${count} of the sensors that the rule “${rule}” watches ${
      { gateway: "behind one gateway", district: "in one district" }[where] ?? `with the same “${where}”`
    }, and at least ${share} of them, have an alert of it at once${within === "" ? "" : `, begun within ${within} of each other`}`,
  quorumOver: "too few of them are left",
  watches: (who: string) => `Watches ${who}.`,
  who: { any: "every sensor", air: "all air sensors", traffic: "all traffic sensors", energy: "all energy sensors" },
  inDistrict: (districts: string) => `in ${districts}`,
  only: (sensors: string) => `but only ${sensors}`,
  tagged: (tags: string) => `with ${tags}`,
  tells: {
    operators: "Tells the operators.",
    crews: "Tells the crews.",
    shadow: "It runs as a shadow: its alerts are recorded, and nobody is told.",
  },
  where: (where: string) =>
    ({ sensor: "on the same sensor", district: "in the same district", gateway: "behind the same gateway" })[where] ??
    `with the same “${where}”`,
};

import { z } from "zod";
import { ID_PATTERN } from "./ids.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, parseDuration } from "./time.ts";
import { isTimeZone } from "./zone.ts";

/** What a rule's `condition` may say: one shape per condition, each with its limits. `docs/rules.md` explains them. */
/** 7 days: the longest `for`, `keepFor` and `after`. */
const RULE_DURATION_MAX_MS = 7 * DAY_MS;
/** A sensor is not called silent before this. */
const SILENCE_AFTER_MIN_MS = 15 * 60_000;
export const CONSECUTIVE_MAX = 48;

export const ruleId = z
  .string()
  .regex(ID_PATTERN, "an id is 1 to 64 of a-z, 0-9 and -, and starts with a letter or digit");

function duration(minMs: number, maxMs: number, range: string) {
  return z.string().refine((text) => {
    const ms = parseDuration(text);
    return ms !== undefined && ms >= minMs && ms <= maxMs;
  }, `write a whole number and s, m, h or d, such as 10m; ${range}`);
}

const windowSize = z.string().refine((text) => {
  const ms = parseDuration(text);
  return ms !== undefined && ms >= 60_000 && ms <= DAY_MS && DAY_MS % ms === 0;
}, "a window is 1m to 1d and divides the day, such as 5m, 10m, 15m, 1h, 8h or 1d (days are the city's, shorter windows are aligned to UTC)");

/** Whose days windows of 1d are, where they are not the city's: a law may report in another time. */
const days = z
  .string()
  .max(64)
  .refine((name) => isTimeZone(name === "utc" ? "UTC" : name), "write utc, or a time zone such as Europe/Vienna")
  .optional();

export const hold = duration(1_000, RULE_DURATION_MAX_MS, "from 1s to 7d");
const capture = z.number().min(0.01).max(1).default(0.75);

/** A number, or the sensor's own rating: the number in its tag, times a factor. Sensors without the tag are skipped. */
export const limit = z.union(
  [z.number(), z.strictObject({ tag: z.string().min(1).max(64), times: z.number().positive() })],
  {
    error: "a limit is a number, or { tag, times } for a share of a number in the sensor's tags",
  },
);

const thresholdShape = {
  type: z.literal("threshold"),
  above: limit.optional(),
  below: limit.optional(),
  /** Once firing, back to normal at or beyond this level; without it, at the limit itself. */
  clear: limit.optional(),
  for: hold.optional(),
  keepFor: hold.optional(),
  window: windowSize.optional(),
  days,
  aggregate: z.enum(["mean", "min", "max"]).default("mean"),
  capture,
};

const allowed = z.int().min(0).max(366);

export const LIGHTING_FAULTS = ["dark", "lamps-out", "by-day", "switching", "interruption"] as const;

const SHAPES = [
  z.strictObject(thresholdShape),
  z.strictObject({
    type: z.literal("consecutive"),
    above: z.number(),
    count: z.int().min(1).max(CONSECUTIVE_MAX),
    window: windowSize,
    days,
    /** Hours or days of a year on which the law allows it: said beside the count. Of single windows. */
    allowed: allowed.optional(),
    capture,
  }),
  z.strictObject({
    type: z.literal("silence"),
    after: duration(SILENCE_AFTER_MIN_MS, RULE_DURATION_MAX_MS, "from 15m to 7d").default("15m"),
  }),
  z.strictObject({
    type: z.literal("rejections"),
    /** So many messages refused within `within`; of a metric, so many values of it. */
    count: z.int().min(1).max(100).default(10),
    within: duration(MINUTE_MS, 7 * DAY_MS, "from 1m to 7d").default("1h"),
    /** Over once none was refused for so long; without it, for `within`. */
    keepFor: hold.optional(),
  }),
  z.strictObject({
    type: z.literal("change"),
    /** In the metric's unit, between the lowest (or highest) value within `within` and the newest. */
    rise: z.number().positive().optional(),
    fall: z.number().positive().optional(),
    within: duration(MINUTE_MS, DAY_MS, "from 1m to 1d"),
    keepFor: hold.optional(),
  }),
  z.strictObject({
    type: z.literal("flatline"),
    after: duration(10 * MINUTE_MS, RULE_DURATION_MAX_MS, "from 10m to 7d"),
    /** At least so many equal values in a row: a sensor that reports once a day is not stuck after a day. */
    samples: z.int().min(3).max(10_000).default(6),
    /** Values this near to each other are equal. */
    tolerance: z.number().nonnegative().default(0),
    /** At or below: the detection limit, where a constant value is normal. Without it the engine learns the floor. */
    floor: z.number().optional(),
    /** At or above: a cap, such as the highest speed a loop reports. */
    ceiling: z.number().optional(),
  }),
  z.strictObject({
    type: z.literal("spike"),
    /** How far one value stands out from the line between its neighbours, in the metric's unit. */
    above: z.number().positive(),
    count: z.int().min(1).max(100).default(1),
    within: duration(MINUTE_MS, DAY_MS, "from 1m to 1d").default("1d"),
  }),
  z.strictObject({
    type: z.literal("anomaly"),
    /** How many robust standard deviations (1.4826 x MAD) from the median of the same time of other days. */
    sigmas: z.number().min(2).max(50).default(4),
    window: windowSize.default("1h"),
    season: z.enum(["none", "day", "week"]).default("week"),
    /** So many windows in a row. */
    count: z.int().min(1).max(CONSECUTIVE_MAX).default(2),
    side: z.enum(["both", "above", "below"]).default("both"),
    /** The smallest deviation that matters, in the metric's unit: guards against a MAD near zero. */
    atLeast: z.number().nonnegative().default(0),
    capture,
  }),
  z.strictObject({
    type: z.literal("forecast"),
    above: limit.optional(),
    below: limit.optional(),
    /** Fires when the limit will be reached within this time. */
    within: duration(10 * MINUTE_MS, 90 * DAY_MS, "from 10m to 90d"),
    /** The past that the trend is taken from. */
    over: duration(HOUR_MS, 90 * DAY_MS, "from 1h to 90d"),
  }),
  z.strictObject({
    type: z.literal("register"),
    /** The most the meter can draw, in kW: more in a time span than that is a jump. */
    maxPower: limit,
    /** Digits of the register before it rolls over to zero; without it a fall is never taken for a rollover. */
    digits: z.int().min(4).max(12).optional(),
  }),
  z.strictObject({
    type: z.literal("drift"),
    /** Share by which the sensor's daily value stays off the median of its neighbours. */
    ratio: z.number().min(0.05).max(10).default(0.3),
    for: duration(DAY_MS, 30 * DAY_MS, "from 1d to 30d").default("7d"),
    radiusKm: z.number().positive().max(50).default(5),
    neighbours: z.int().min(3).max(50).default(3),
    /** Only neighbours that moved alike so far count. */
    correlation: z.number().min(0).max(1).default(0.6),
  }),
  z.strictObject({
    type: z.literal("running"),
    above: z.number(),
    /** A running mean of so many hours, made anew every hour. */
    over: z.string().refine((text) => {
      const ms = parseDuration(text);
      return ms !== undefined && ms >= 2 * HOUR_MS && ms <= DAY_MS && ms % HOUR_MS === 0;
    }, "a running mean is over 2h to 24h, such as 8h"),
    days,
    /** Days of a year on which the law allows it: said beside the count. */
    allowed: allowed.optional(),
    capture,
  }),
  z.strictObject({
    type: z.literal("lighting"),
    /** What goes wrong with street lights. */
    fault: z.enum(LIGHTING_FAULTS),
    /** dark (15m), lamps-out (30m), by-day (1h): for so long. */
    for: duration(MINUTE_MS, DAY_MS, "from 1m to 1d").optional(),
    /** lamps-out: the share of the usual power that is missing (0.1). */
    share: z.number().min(0.02).max(0.9).optional(),
    /** switching: so much too early or too late (15m), in so many nights in a row (3). */
    tolerance: duration(5 * MINUTE_MS, 3 * HOUR_MS, "from 5m to 3h").optional(),
    nights: z.int().min(1).max(14).optional(),
  }),
  z.strictObject({
    type: z.literal("quorum"),
    /** The rule whose alerts are counted. It may be in shadow mode. */
    rule: ruleId,
    /** Whose sensors are counted together: a tag's name stands for its value ("feeder"). */
    by: z
      .union([z.enum(["district", "gateway"]), z.strictObject({ tag: z.string().min(1).max(64) })])
      .default("district"),
    count: z.int().min(2).max(10_000).default(3),
    /** Also at least this share of the sensors that the rule watches there. */
    share: z.number().min(0).max(1).default(0.6),
    /** The alerts must have begun within this time of each other. */
    within: duration(MINUTE_MS, DAY_MS, "from 1m to 1d").optional(),
  }),
] as const;

export const conditionSchema = z.discriminatedUnion("type", SHAPES, {
  error: `condition.type is one of ${SHAPES.map(({ shape }) => shape.type.value).join(", ")}`,
});

export type RuleCondition = z.infer<typeof conditionSchema>;
export type ConditionType = RuleCondition["type"];
export type Spec<Type extends ConditionType> = Extract<RuleCondition, { type: Type }>;
export type Limit = NonNullable<Spec<"threshold">["above"]>;

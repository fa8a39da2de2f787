import type { Values } from "../model/reading.ts";
import type { ScenarioName } from "../model/simulation.ts";
import type { Scenario } from "./city.ts";
import { cityPlaces } from "./places.ts";

const stations = cityPlaces(1).filter(({ kind }) => kind === "air");
const ids = stations.map(({ id }) => id);

/** Bad air in the whole city: neighbours agree, so it is the city and not a sensor. */
const EPISODE: Scenario = {
  name: "episode",
  events: [
    { what: "level", sensors: ids, values: { no2: 265 }, fromMin: -45, toMin: 0, rampMin: 10 },
    {
      what: "level",
      sensors: ids.filter((_, i) => i % 2 === 0),
      values: { o3: 215 },
      fromMin: -40,
      toMin: 0,
      rampMin: 10,
    },
  ],
};

const places = cityPlaces(1);
const of = (district: string) => places.filter((sensor) => sensor.district === district).map(({ id }) => id);

/** A district without power says nothing; the transformer next to it carries more than it is made for. */
const OUTAGE: Scenario = {
  name: "outage",
  events: [
    { what: "silent", sensors: of("harbour"), fromMin: -40, toMin: 60 },
    {
      what: "level",
      sensors: ["transformer-centre"],
      values: { current: 715, activePower: 470, oilTemperature: 98, voltage: 225 },
      fromMin: -38,
      toMin: 0,
      rampMin: 5,
    },
    {
      what: "level",
      sensors: places.filter(({ id }) => id.startsWith("feeder-centre")).map(({ id }) => id),
      values: { voltage: 199 },
      fromMin: -38,
      toMin: 0,
      rampMin: 5,
    },
  ],
};

/** Nothing is wrong with the city, much with its sensors: what crews and the quarantine are for. */
const STORM: Scenario = {
  name: "storm",
  events: [
    { what: "stuck", sensors: ["traffic-northfield-04", "air-centre-02"], fromMin: -55, toMin: 60 },
    { what: "silent", sensors: ["air-southgate-02", "feeder-hillside-01"], fromMin: -45, toMin: 60 },
    {
      what: "level",
      sensors: ["air-hillside-04", "air-harbour-02"],
      values: { battery: 6 },
      fromMin: -70,
      toMin: 60,
      rampMin: 10,
    },
    { what: "bad-payload", sensors: ["air-centre-04", "air-northfield-01"], everyMin: 1 },
    { what: "repeat", sensors: ["traffic-harbour-03", "feeder-harbour-01"], everyMin: 2 },
  ],
};

/**
 * A day on which something is wrong everywhere a little, for both audiences: operators see a jam, two air episodes, a
 * weak feeder and an overloaded transformer; crews see a dying battery, a silent sensor and a stuck one.
 */
export const ORDINARY_DAY: Scenario = {
  name: "ordinary-day",
  events: [
    {
      what: "level",
      sensors: ["traffic-centre-01", "traffic-centre-02"],
      values: { occupancy: 58, speed: 11, flow: 640 },
      fromMin: -45,
      toMin: 60,
      rampMin: 5,
    },
    {
      what: "level",
      sensors: ["air-harbour-01", "air-harbour-03"],
      values: { no2: 248 },
      fromMin: -6 * 60,
      toMin: 120,
      rampMin: 30,
    },
    {
      what: "level",
      sensors: ["air-northfield-02"],
      values: { o3: 208 },
      fromMin: -5 * 60,
      toMin: 90,
      rampMin: 30,
    },
    {
      what: "level",
      sensors: ["feeder-hillside-02"],
      values: { voltage: 200.5 },
      fromMin: -60,
      toMin: 60,
      rampMin: 5,
    },
    {
      what: "level",
      sensors: ["transformer-southgate"],
      values: { current: 705, activePower: 468, oilTemperature: 97, voltage: 226 },
      fromMin: -80,
      toMin: 90,
      rampMin: 15,
    },
    {
      what: "level",
      sensors: ["air-hillside-04"],
      values: { battery: 7.5 },
      fromMin: -26 * 60,
      toMin: 7 * 24 * 60,
      rampMin: 60,
    },
    { what: "silent", sensors: ["air-southgate-02"], fromMin: -120, toMin: 7 * 24 * 60 },
    // Silence is judged from when a sensor was last heard, so the one above is called silent half an hour after the start;
    // this one was silent in the past and is over.
    { what: "silent", sensors: ["traffic-southgate-05"], fromMin: -300, toMin: -190 },
    { what: "stuck", sensors: ["traffic-northfield-04"], fromMin: -5 * 60, toMin: 7 * 24 * 60 },
    { what: "bad-payload", sensors: ["air-centre-04"], everyMin: 1 },
    { what: "repeat", sensors: ["traffic-harbour-03", "feeder-harbour-01"], everyMin: 2 },
  ],
};

const AGAIN_MIN = 60;

/** A trouble that comes again every hour: it rises, is there, and is over. */
function happening(fromMin: number, forMin: number, sensors: readonly string[], values: Values) {
  return { what: "level", sensors, values, fromMin, toMin: fromMin + forMin, rampMin: 1, everyMin: AGAIN_MIN } as const;
}

/** Neighbours agree, so it is the street and not a sensor. Congestion is told after three windows of five minutes. */
const jam = (fromMin: number, district: string) =>
  happening(fromMin, 21, [`traffic-${district}-01`, `traffic-${district}-02`], { occupancy: 61, speed: 9, flow: 580 });
const hot = (fromMin: number, district: string, oilTemperature = 97) =>
  happening(fromMin, 6, [`transformer-${district}`], { oilTemperature });
const empty = (fromMin: number, station: string) => happening(fromMin, 6, [`air-${station}`], { battery: 12 });

/** The ordinary day, and something new every five minutes: whoever looks on sees alerts begin, rise and end. */
export const LIVING_DAY: Scenario = {
  name: "living-day",
  events: [
    ...ORDINARY_DAY.events,
    hot(2, "centre"),
    jam(4, "harbour"),
    empty(7, "centre-03"),
    hot(12, "harbour"),
    empty(17, "northfield-03"),
    empty(22, "centre-01"),
    hot(27, "northfield", 108),
    jam(29, "northfield"),
    empty(32, "southgate-01"),
    hot(37, "centre"),
    empty(42, "harbour-02"),
    empty(47, "northfield-01"),
    hot(52, "harbour"),
    empty(57, "southgate-03"),
    // Its gateway is without power: they are silent together, and half an hour later that is called an outage.
    {
      what: "silent",
      sensors: places.filter(({ gateway }) => gateway === "gw-hillside").map(({ id }) => id),
      fromMin: 3,
      toMin: 45,
      everyMin: 3 * 60,
    },
  ],
};

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  "ordinary-day": ORDINARY_DAY,
  episode: EPISODE,
  outage: OUTAGE,
  storm: STORM,
};

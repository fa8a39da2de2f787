import type { Scenario } from "../events.ts";

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

import type { Scenario } from "../events.ts";

/** Nothing is wrong with the city, much with its sensors: what crews and the quarantine are for. */
export const STORM: Scenario = {
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

import type { Scenario } from "../events.ts";
import { cityPlaces } from "../places.ts";

const places = cityPlaces(1);
const of = (district: string) => places.filter((sensor) => sensor.district === district).map(({ id }) => id);

/** A district without power says nothing; the transformer next to it carries more than it is made for. */
export const OUTAGE: Scenario = {
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

import type { Scenario } from "../events.ts";
import { cityPlaces } from "../places.ts";

const stations = cityPlaces(1).filter(({ kind }) => kind === "air");
const ids = stations.map(({ id }) => id);

/** Bad air in the whole city: neighbours agree, so it is the city and not a sensor. */
export const EPISODE: Scenario = {
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

import { describe, expect, it } from "vitest";
import { parseDuration } from "../../model/time.ts";
import { choose, leaveOneOut, SETTINGS, type Trial, unusualRules } from "../../tools/score-choice.ts";
import { parseLabels, withMoments } from "../../tools/score-labels.ts";
import { aRule } from "../alerts/builders.ts";

const [bold, calm] = [SETTINGS[0]!, SETTINGS.at(-1)!];
const aTrial = (rest: Partial<Trial>): Trial => ({
  ...{ recording: "a", setting: bold, found: 1, of: 2, alerts: 1, sensorWeeks: 10 },
  ...rest,
});

describe("choosing a setting", () => {
  it("takes the one that finds most among those that say little enough", () => {
    const trials = [aTrial({ found: 2, alerts: 6 }), aTrial({ setting: calm, found: 1, alerts: 5 })];
    expect(choose(trials)).toBe(calm);
    expect(choose([aTrial({ found: 2, alerts: 5 }), trials[1]!])).toBe(bold);
  });

  it("takes the quieter of equal ones, and the quietest if all say too much", () => {
    expect(choose([aTrial({ alerts: 3 }), aTrial({ setting: calm, alerts: 2 })])).toBe(calm);
    expect(choose([aTrial({ found: 2, alerts: 90 }), aTrial({ setting: calm, found: 0, alerts: 80 })])).toBe(calm);
  });

  it("counts how often in the mean over recordings, without those too short to tell", () => {
    const long = aTrial({ alerts: 0, sensorWeeks: 10_000 });
    const loud = aTrial({ recording: "b", alerts: 12, sensorWeeks: 10 });
    const quiet = aTrial({ recording: "b", setting: calm, found: 0, alerts: 0 });
    expect(choose([long, loud, quiet])).toBe(calm);
    expect(choose([long, { ...loud, sensorWeeks: 0.5 }, quiet])).toBe(bold);
  });

  it("leaves a recording out of what chooses for it", () => {
    const all = [bold, calm].flatMap((setting) => [
      aTrial({ recording: "bold-one", setting, found: setting === bold ? 9 : 0 }),
      aTrial({ recording: "calm-one", setting, found: setting === calm ? 3 : 0 }),
    ]);
    expect(choose(all)).toBe(bold);
    expect([...leaveOneOut(all)]).toEqual([
      ["bold-one", calm],
      ["calm-one", bold],
    ]);
  });

  it("changes the rules for the unusual alone, by time and not by windows", () => {
    const condition = { type: "anomaly", window: "30m", sigmas: 5, count: 1 };
    const limit = aRule({ id: "limit", metric: "no2", condition: { type: "threshold", above: 200 } });
    const rules = [aRule({ id: "odd", metric: "no2", condition }), limit];
    const changed = unusualRules(rules, { sigmas: 3, lastsMs: parseDuration("2h")! });
    expect(changed).toMatchObject([{ id: "odd", condition: { sigmas: 3, count: 4 } }]);
  });
});

describe("labelled moments", () => {
  it("belong to the window around them", () => {
    const windows = {
      "x/a.csv": [
        ["2015-09-16 00:59:00.0", "2015-09-16 13:19:00.0"],
        ["2015-09-17 00:20:00.0", "2015-09-17 13:10:00.0"],
      ],
    };
    const labels = withMoments(parseLabels(windows), { "x/a.csv": ["2015-09-17 07:55:00"] });
    expect(labels.map(({ moment }) => moment)).toEqual([undefined, "2015-09-17 07:55:00"]);
  });
});

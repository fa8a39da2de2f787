import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { startClockWatch } from "../../store/clock-watch.ts";
import { aCity } from "../alerts/noise/city.ts";
import { aNotice } from "../alerts/notify/world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The real records and the noise control on a clock of the wall that the test sets; `look` is the watch's turn. */
function aPlace() {
  const city = aCity();
  const { records } = city;
  let uptime = 0;
  function watch() {
    let look = () => {};
    const every = (_name: string, _ms: number, work: () => void) => {
      look = work;
      return () => {};
    };
    startClockWatch({ records, background: { every } as never, now: city.now, uptime: () => uptime, log: SILENT });
    return () => look();
  }
  return {
    ...city,
    watch,
    /** Time passes, and the clock is set by `set` meanwhile. */
    pass(ms: number, set = 0) {
      uptime += ms;
      city.sleep(ms + set);
    },
    add: (alert: string, dueAt: number, groupKey?: string) =>
      records.outbox.add({ target: "hook", notice: aNotice({ id: alert }), dueAt, groupKey }, 100),
    due: () => {
      const messages = records.outbox.next("hook", city.now(), 100);
      return messages.flatMap(({ deliveries }) => deliveries.map(({ notice }) => notice.alert.id)).sort();
    },
  };
}

let place: ReturnType<typeof aPlace>;
beforeEach(() => {
  place = aPlace();
});
afterEach(() => place.records.close());

describe("a clock that is set back", () => {
  it("makes no notice wait for it, but the quiet hours are those of the wall", () => {
    const look = place.watch();
    place.add("was-due", place.now());
    place.add("in-a-minute", place.now() + MINUTE, "rule no2-high");
    place.add("quiet", place.now() + HOUR, "quiet 7:00");
    place.records.recipients.escalate({ alert: "al-1", target: "hook", dueAt: place.now() + MINUTE });
    place.pass(5_000, -HOUR);
    expect(place.due()).toEqual([]);
    look();
    expect(place.due()).toEqual(["was-due"]);
    place.pass(MINUTE);
    look();
    expect(place.due()).toEqual(["was-due"]);
    expect(place.records.outbox.nextAt("hook", place.now())).toBe(place.now() - MINUTE - 5_000 + 2 * HOUR);
    expect(place.records.recipients.escalations(place.now(), 10)).toHaveLength(1);
    const { items } = place.records.audit.list(10);
    expect(items.map(({ by, what }) => [by, what])).toEqual([["lamppost", "clock.back"]]);
  });

  it("tells what was held for a cause, reminds, and lets what flaps become calm, all after the usual time", () => {
    const look = place.watch();
    place.up("plain", "s-2");
    place.pass(2 * HOUR);
    place.up("silent", "s-1");
    place.told();
    place.pass(0, -24 * HOUR);
    look();
    place.pass(59_000);
    place.noise().tick();
    expect(place.told()).toEqual([]);
    place.pass(2_000);
    place.noise().tick();
    expect(place.told()).toEqual(["firing silent s-1"]);
    expect(place.records.noise.newestChange(place.records.noise.open()[0]!.series)).toBeLessThanOrEqual(place.now());
    place.pass(4 * HOUR);
    place.noise().tick();
    expect(place.told().sort()).toEqual(["reminder plain s-2", "reminder silent s-1"]);
  });

  it("is noticed after a restart, too", () => {
    place.watch()();
    place.add("was-due", place.now());
    place.pass(5_000, -HOUR);
    place.watch()();
    expect(place.due()).toEqual(["was-due"]);
  });

  it("changes nothing where it is a second, a leap ahead, or a leap ahead that is taken back of what was due before", () => {
    const look = place.watch();
    place.add("later", place.now() + 10 * MINUTE);
    place.pass(5_000, -1_000);
    look();
    place.pass(5_000, 24 * HOUR);
    look();
    expect(place.records.audit.list(10).items).toEqual([]);
    place.pass(5_000, -24 * HOUR);
    look();
    expect(place.due()).toEqual(["later"]);
  });
});

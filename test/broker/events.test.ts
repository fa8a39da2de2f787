import { describe, expect, it } from "vitest";
import { type AccessEvent, type AccessReport, createEventLimiter } from "../../broker/events.ts";

function start() {
  const events: AccessEvent[] = [];
  let time = 0;
  const limiter = createEventLimiter(
    10,
    (event) => events.push(event),
    () => time,
  );
  const login = (address: string, name = "x"): AccessReport => ({
    type: "refused",
    reason: "bad_credentials",
    name,
    clientId: name,
    address,
  });
  const slowed = (name: string): AccessReport => ({
    type: "slowed",
    reason: "over_rate",
    name,
    clientId: name,
    address: "a",
  });
  return {
    events,
    login,
    slowed,
    report: limiter.report,
    pass(ms: number) {
      time += ms;
      limiter.tick();
    },
  };
}

describe("events for the audit log", () => {
  it("of one address are one, of its whole /64 too, whatever the name", () => {
    const { events, login, report, pass } = start();
    for (let i = 0; i < 5; i += 1) report(login("192.0.2.1", `name-${i}`));
    for (let i = 0; i < 5; i += 1) report(login(`2001:db8:0:1::${i}`, "one"));
    pass(10);
    expect(events.map(({ address, repeats, names }) => [address, repeats, names])).toEqual([
      ["192.0.2.1", 0, 1],
      ["2001:db8:0:1::0", 0, 1],
      ["192.0.2.1", 4, 4],
      ["2001:db8:0:1::4", 4, 1],
    ]);
  });

  it("come ever less often while they go on, and at once after a pause", () => {
    const { events, slowed, report, pass } = start();
    for (let ms = 0; ms < 1_000; ms += 1) {
      report(slowed("dev"));
      pass(1);
    }
    expect(events.length).toBeLessThan(9);
    expect(events.reduce((sum, { repeats }) => sum + repeats, 1)).toBeGreaterThan(600);
    pass(1_000);
    pass(2_000);
    const before = events.length;
    report(slowed("dev"));
    expect(events.slice(before)).toMatchObject([{ repeats: 0 }]);
  });

  it("of a hundred thousand addresses are counted together beyond the first ten thousand, none is lost", () => {
    const { events, login, slowed, report, pass } = start();
    for (let i = 0; i < 100_000; i += 1) report(login(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));
    // Accounts have a place of their own.
    report(slowed("dev"));
    expect(events.at(-1)).toMatchObject({ type: "slowed", name: "dev" });
    pass(10);
    expect(events.length).toBe(10_000 + 1 + 1 + 1);
    expect(events.at(-1)).toMatchObject({ address: "many addresses", repeats: 100_000 - 10_000 - 1 });
  });
});

import { describe, expect, it } from "vitest";
import { aNotice, aTarget } from "../../alerts/notify/world.ts";
import { NOW, useRecords } from "./setup.ts";

const PENDING_MAX = 1_000;

describe("targets and their outbox", () => {
  const city = useRecords();
  const add = (alert: string, target = "hook", dueAt = NOW) =>
    city.records.outbox.add({ target, notice: aNotice({ id: alert }), dueAt }, PENDING_MAX);
  const next = (target = "hook") => city.records.outbox.next(target, NOW, 10);
  const alertsOf = (target?: string) =>
    next(target).flatMap(({ deliveries }) => deliveries.map(({ notice }) => notice.alert.id));

  it("are the same after a restart: notices, ids, what was refused, states", () => {
    city.records.targets.put(aTarget());
    add("a-1");
    add("a-2");
    const [message] = next();
    city.records.outbox.refused(message!.deliveries, "answered 400", NOW);
    city.records.targets.setState("hook", { failures: 1, lastError: "answered 400", lastErrorAt: NOW });
    const before = next();
    city.reopen();
    expect(next()).toEqual(before);
    expect(before[0]).toMatchObject({ id: message!.id, deliveries: [{ refusals: 1, notice: aNotice({ id: "a-1" }) }] });
    expect(city.records.targets.list()).toEqual([aTarget()]);
    expect(city.records.targets.state("hook")).toMatchObject({ lastError: "answered 400" });
  });

  it("what is rolled back is not there, in the file and in RAM, and nobody is woken", () => {
    const woken: string[] = [];
    const changed: string[] = [];
    city.records.outbox.onAdded((target) => void woken.push(target));
    city.records.targets.onChange((target) => void changed.push(target));
    const { transaction, targets } = city.records;
    const fail = (work: () => void) => () =>
      transaction(() => {
        work();
        throw new Error("no");
      });
    expect(fail(() => targets.put(aTarget()))).toThrow("no");
    expect(fail(() => add("a-1"))).toThrow("no");
    expect([targets.list(), next(), woken, changed]).toEqual([[], [], [], []]);
    // A part of a larger whole fails: the rest is told, each target once.
    transaction(() => {
      add("a-2");
      expect(fail(() => add("a-3", "other"))).toThrow("no");
      add("a-4", "other");
      add("a-5");
      expect(woken).toEqual([]);
    });
    expect(woken).toEqual(["hook", "other"]);
    expect([alertsOf(), alertsOf("other")]).toEqual([["a-2", "a-5"], ["a-4"]]);
  });

  it("a removed target leaves nothing behind", () => {
    const { targets, recipients, outbox } = city.records;
    targets.put(aTarget());
    add("a-1");
    recipients.add("a-1", "hook");
    recipients.escalate({ alert: "a-1", target: "hook", dueAt: NOW });
    expect(targets.remove("hook")).toBe(true);
    expect(targets.remove("hook")).toBe(false);
    expect([outbox.pending().size, recipients.of("a-1"), recipients.escalations(NOW, 10)]).toEqual([0, [], []]);
  });

  it("keeps what was told and given up for a while, without the words", () => {
    const { outbox } = city.records;
    add("a-1");
    add("a-2");
    const [first, second] = next();
    outbox.sent(first!.deliveries, NOW);
    outbox.giveUp(second!.deliveries, "answered 404", NOW);
    expect(next()).toEqual([]);
    expect(add("a-1")).toBe(false);
    expect(outbox.prune(NOW)).toBe(0);
    expect(outbox.prune(NOW + 1)).toBe(2);
  });
});

import { describe, expect, it } from "vitest";
import { createUnderWay } from "../../../ingest/journal/shares.ts";

const KIB = 1_024;
const FLOOD = { via: "mqtt", role: "gateway", name: "flood" } as const;
const QUIET = { via: "mqtt", role: "device", name: "quiet" } as const;

/** A journal that numbers what it is given, rules that take it when told, and a clock. */
function line(first = 1) {
  let taken = first;
  let next = first;
  let time = 0;
  const underWay = createUnderWay(
    () => taken | 0,
    () => time,
  );
  return {
    ...underWay,
    send(source: typeof FLOOD | typeof QUIET, messages: number, bytes = KIB): void {
      for (let i = 0; i < messages; i++) underWay.took(source, bytes);
      next += messages;
    },
    commit: () => underWay.committed(next),
    take(messages: number): void {
      taken += messages;
    },
    pass(ms: number): void {
      time += ms;
    },
  };
}

describe("what a sender has under way", () => {
  it("is bounded: who is ahead of the rules waits until they have taken some, and nobody else does", () => {
    const all = line();
    all.send(QUIET, 1);
    all.send(FLOOD, 31);
    expect(all.isFull("gateway flood")).toBe(false);
    all.send(FLOOD, 1);
    expect(all.isFull("gateway flood")).toBe(true);
    all.commit();
    expect(all.isFull("gateway flood")).toBe(true);
    expect(all.isFull("device quiet")).toBe(false);
    all.take(1);
    expect(all.isFull("gateway flood")).toBe(true); // that was the other's
    all.take(32);
    expect(all.isFull("gateway flood")).toBe(false);
    all.send(FLOOD, 32);
    all.commit();
    expect(all.isFull("gateway flood")).toBe(true);
  });

  it("counts to whom it belongs across commits, also where the numbers pass 32 bits", () => {
    const all = line(2 ** 32 - 100);
    for (let i = 0; i < 4; i++) {
      all.send(FLOOD, 8);
      all.send(QUIET, 1);
      all.commit();
    }
    expect(all.isFull("gateway flood")).toBe(true);
    all.take(9);
    expect(all.isFull("gateway flood")).toBe(false);
    all.send(FLOOD, 1_000);
    all.commit();
    expect(all.isFull("gateway flood")).toBe(true);
    all.take(27 + 1_000);
    expect(all.isFull("gateway flood")).toBe(false);
  });

  it("holds up only who causes the waiting: not those who come while much of others waits", () => {
    const all = line();
    all.commit();
    all.send(QUIET, 10_000, 1);
    all.commit();
    all.send(FLOOD, 500);
    expect(all.isFull("gateway flood")).toBe(false);
    all.send(FLOOD, 500);
    expect(all.isFull("gateway flood")).toBe(true);
  });

  it("keeps nobody from the journal while the rules stand still", () => {
    const all = line();
    all.send(FLOOD, 100);
    all.commit();
    all.pass(900);
    expect(all.isFull("gateway flood")).toBe(true);
    all.pass(200);
    expect(all.isFull("gateway flood")).toBe(false);
    all.take(1);
    expect(all.isFull("gateway flood")).toBe(true);
  });
});

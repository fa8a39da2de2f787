import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../../model/log.ts";
import { openRecords, type Records } from "../../../store/records.ts";

describe("sessions", () => {
  let records: Records;
  beforeEach(() => {
    records = openRecords({ path: ":memory:", now: () => 0, log: SILENT });
    for (const name of ["anna", "bruno"]) {
      const credential = {
        account: { role: "operator", name } as const,
        secretHash: name,
        createdAt: 0,
        createdBy: "test",
      };
      records.credentials.add(credential);
    }
  });
  afterEach(() => records.close());

  it("are listed by account, the least recently used first", () => {
    records.sessions.add("one", { account: "anna", createdAt: 1, usedAt: 1 });
    records.sessions.add("two", { account: "anna", createdAt: 2, usedAt: 2 });
    records.sessions.add("other", { account: "bruno", createdAt: 3, usedAt: 3 });
    records.sessions.touch("one", 9);
    expect(records.sessions.list("anna").map(({ idHash }) => idHash)).toEqual(["two", "one"]);
    expect(records.sessions.get("one")).toEqual({ account: "anna", createdAt: 1, usedAt: 9 });
  });

  it("go when they are old or long unused", () => {
    records.sessions.add("old", { account: "anna", createdAt: 1, usedAt: 50 });
    records.sessions.add("idle", { account: "anna", createdAt: 20, usedAt: 20 });
    records.sessions.add("good", { account: "anna", createdAt: 20, usedAt: 50 });
    expect(records.sessions.removeOld(10, 30)).toBe(2);
    expect(records.sessions.list("anna").map(({ idHash }) => idHash)).toEqual(["good"]);
    expect([records.sessions.remove("good"), records.sessions.remove("good")]).toEqual([true, false]);
  });

  it("need an account, and go with it; so does its password", () => {
    expect(() => records.sessions.add("x", { account: "nobody", createdAt: 1, usedAt: 1 })).toThrow(/FOREIGN KEY/);
    records.sessions.add("one", { account: "anna", createdAt: 1, usedAt: 1 });
    records.sessions.setPassword("anna", "hash", 1);
    records.sessions.setPassword("anna", "newer", 2);
    expect(records.sessions.passwordHash("anna")).toBe("newer");
    records.credentials.remove("anna");
    expect([records.sessions.get("one"), records.sessions.passwordHash("anna")]).toEqual([undefined, undefined]);
  });
});

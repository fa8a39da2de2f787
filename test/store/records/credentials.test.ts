import { describe, expect, it } from "vitest";
import { RecordConflict } from "../../../model/ids.ts";
import type { StoredCredential } from "../../../store/records/accounts.ts";
import { aUser, NOW, useRecords } from "./setup.ts";

const GATEWAY: StoredCredential = {
  account: { role: "gateway", name: "gw-north", districts: ["north"], mayImport: true },
  secretHash: "abc",
  createdAt: NOW,
  createdBy: "admin",
};

describe("the credentials", () => {
  const city = useRecords();

  it("finds an account by the hash of its secret, also after a restart", () => {
    city.records.credentials.add(GATEWAY);
    city.reopen();
    expect(city.records.credentials.bySecretHash("abc")).toEqual(GATEWAY.account);
    expect(city.records.credentials.byName("gw-north")).toEqual(GATEWAY);
    expect(city.records.credentials.bySecretHash("abd")).toBeUndefined();
  });

  it("refuses a name or a secret that is taken", () => {
    city.records.credentials.add(GATEWAY);
    expect(() => city.records.credentials.add(aUser("gw-north"))).toThrow(RecordConflict);
    expect(() => city.records.credentials.add(aUser("mary", "abc"))).toThrow(RecordConflict);
    expect(city.records.credentials.list()).toEqual([GATEWAY]);
  });

  it("lists by role and removes for good", () => {
    city.records.credentials.add(GATEWAY);
    city.records.credentials.add(aUser("mary"));
    const names = (role?: "operator") => city.records.credentials.list(role).map((one) => one.account.name);
    expect(names()).toEqual(["gw-north", "mary"]);
    expect(names("operator")).toEqual(["mary"]);
    expect(city.records.credentials.remove("mary")).toBe(true);
    expect(city.records.credentials.remove("mary")).toBe(false);
    expect(city.records.credentials.bySecretHash("hash-of-mary")).toBeUndefined();
    city.reopen();
    expect(names()).toEqual(["gw-north"]);
  });

  it("tells of changes after the outermost commit, in order, without the book-keeping fields", () => {
    const changes: object[] = [];
    const { credentials, transaction } = city.records;
    credentials.onChange((change) => changes.push(change));
    transaction(() => {
      transaction(() => credentials.add(GATEWAY));
      credentials.remove("gw-north");
      expect(changes).toEqual([]);
    });
    expect(changes).toEqual([
      { name: "gw-north", credential: { account: GATEWAY.account, secretHash: "abc" } },
      { name: "gw-north" },
    ]);
  });

  it("keeps RAM and listeners out of a transaction that failed", () => {
    const changes: object[] = [];
    const { credentials, transaction } = city.records;
    credentials.add(aUser("mary"));
    credentials.onChange((change) => changes.push(change));
    const work = () => {
      credentials.add(GATEWAY);
      credentials.remove("mary");
      throw new Error("no");
    };
    expect(() => transaction(work)).toThrow("no");
    expect(changes).toEqual([]);
    expect(credentials.bySecretHash("abc")).toBeUndefined();
    expect(credentials.bySecretHash("hash-of-mary")?.name).toBe("mary");
    expect(() => credentials.add(GATEWAY)).not.toThrow();
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findService } from "../../cli/client.ts";
import { createProgress, table } from "../../cli/output.ts";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "lamppost-client-"));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const leave = (name: string, text: string) => writeFileSync(join(dataDir, name), text);

describe("finding the service", () => {
  it("reads what the service left in its data directory", () => {
    leave("service.json", JSON.stringify({ pid: 1, http: "http://127.0.0.1:4711", mqtt: "mqtt://127.0.0.1:4712" }));
    leave("admin-token", "secret\n");
    const found = findService({}, { dataDir });
    expect(found).toMatchObject({
      token: "secret",
      mqtt: "mqtt://127.0.0.1:4712",
      client: { url: "http://127.0.0.1:4711" },
    });
  });

  it("prefers what is said over what is found", () => {
    leave("service.json", JSON.stringify({ pid: 1, http: "http://127.0.0.1:4711", mqtt: "mqtt://127.0.0.1:4712" }));
    leave("admin-token", "secret\n");
    expect(findService({}, { dataDir, adminToken: "set" }).token).toBe("set");
    const said = findService({ url: "http://city:8080/", token: "said" }, { dataDir, adminToken: "set" });
    expect(said).toMatchObject({ token: "said", mqtt: undefined, client: { url: "http://city:8080" } });
  });

  it("reads the token from a file, so that it stands in no list of processes", () => {
    leave("service.json", JSON.stringify({ pid: 1, http: "http://127.0.0.1:4711", mqtt: "mqtt://127.0.0.1:4712" }));
    leave("token", "from a file\n");
    const tokenFile = join(dataDir, "token");
    expect(findService({ tokenFile }, { dataDir, adminToken: "set" }).token).toBe("from a file");
    expect(() => findService({ tokenFile: `${tokenFile}s` }, { dataDir })).toThrow(/tokens cannot be read \(ENOENT\)/);
  });

  it("says what to do when there is none", () => {
    expect(() => findService({}, { dataDir })).toThrow(/no service runs on .*lamppost start/);
    leave("service.json", "half a fi");
    expect(() => findService({}, { dataDir })).toThrow(/no service runs/);
    expect(() => findService({ url: "http://city" }, { dataDir })).toThrow(/no admin token.*--token/);
    expect(() => findService({ url: "city:", token: "x" }, { dataDir })).not.toThrow(/no admin token/);
    expect(() => findService({ url: "not a url", token: "x" }, { dataDir })).toThrow(/is not a URL/);
  });
});

describe("output", () => {
  it("aligns columns, numbers to the right", () => {
    expect(
      table(
        ["name", "n"],
        [
          ["a", 1],
          ["long", 1000],
          [undefined, 2],
        ],
      ),
    ).toBe("name     n\na        1\nlong  1000\n-        2");
  });

  it("shows plain lines where there is no terminal: one a phase, and one every five seconds", () => {
    const lines: string[] = [];
    let now = 0;
    const stream = { isTTY: false, write: (text: string) => lines.push(text) } as unknown as NodeJS.WriteStream;
    const progress = createProgress(stream, () => now);
    for (; now <= 11_000; now += 1_000) progress.update({ phase: "sending", done: now / 1000, total: 11 });
    progress.update({ phase: "booking", done: 0, total: 11 });
    progress.end();
    expect(lines).toEqual([
      "acknowledged: 0 of 11\n",
      "acknowledged: 5 of 11\n",
      "acknowledged: 10 of 11\n",
      "booked by the service: 0 of 11\n",
    ]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../app/config.ts";
import * as accounts from "../../cli/accounts.ts";
import * as alerts from "../../cli/alerts.ts";
import * as books from "../../cli/books.ts";
import * as doctor from "../../cli/doctor.ts";
import * as recordings from "../../cli/recordings.ts";
import * as simulate from "../../cli/simulate.ts";
import { type FakeService, startFakeService } from "../simulators/fake-service.ts";
import { runCli } from "./run-cli.ts";

let service: FakeService;
let dir: string;
let at: string[];
beforeEach(async () => {
  service = await startFakeService();
  at = ["--url", service.http, "--token", service.token];
  dir = mkdtempSync(join(tmpdir(), "lamppost-cli-"));
});
afterEach(async () => {
  await service.stop();
  rmSync(dir, { recursive: true });
});

describe("device, gateway and user", () => {
  it("adds a device and prints a line that publishes its first reading", async () => {
    const place = ["--lat", "52.6", "--lon", "11", "--interval", "60", "--tag", "site=roadside", "--tag", "a=b=c"];
    const added = await runCli(
      accounts,
      "device",
      "add",
      "air-1",
      "--kind",
      "air",
      "--district",
      "centre",
      ...place,
      ...at,
    );
    expect(added).toMatchObject({ code: 0, errors: "" });
    expect(service.logins.get("air-1")!.body).toMatchObject({
      kind: "air",
      district: "centre",
      lat: 52.6,
      lon: 11,
      intervalS: 60,
      tags: { site: "roadside", a: "b=c" },
    });
    expect(added.out).toContain("password  password-1");
    const line = added.out.replaceAll("\\\n", " ").replace(/\s+/g, " ");
    expect(line).toContain(
      "mosquitto_pub -h 127.0.0.1 -p 1883 -i air-1 -u air-1 -P password-1 -q 1 -t city/centre/air/air-1 -m '{",
    );
  });

  it("lists and removes, as JSON where asked", async () => {
    await runCli(accounts, "device", "add", "air-1", "--kind", "air", "--district", "centre", ...at);
    const list = await runCli(accounts, "device", "list", "--json", ...at);
    expect(JSON.parse(list.out)).toMatchObject([{ username: "air-1", district: "centre" }]);
    expect(await runCli(accounts, "device", "remove", "air-1", ...at)).toMatchObject({ code: 0 });
    expect(service.logins.size).toBe(0);
    expect(await runCli(accounts, "device", "remove", "air-1", ...at)).toMatchObject({ code: 1, errors: "Not Found" });
  });

  it("adds gateways with several districts, and users with a role", async () => {
    const added = await runCli(
      accounts,
      "gateway",
      "add",
      "gw-1",
      "--district",
      "a,b",
      "--district",
      "c",
      "--may-import",
      ...at,
    );
    expect(added.code).toBe(0);
    expect(service.logins.get("gw-1")!.body).toMatchObject({ districts: ["a", "b", "c"], mayImport: true });
    const anna = await runCli(accounts, "user", "add", "anna", "--role", "operator", "--json", ...at);
    expect(JSON.parse(anna.out)).toEqual({ username: "anna", password: "password-2" });
  });

  it.each([
    ["device add Air-1 --kind air --district centre", /An id is/],
    ["device add air-1 --kind water --district centre", /One of air, traffic, energy/],
    ["device add air-1 --kind air", /--district/],
    ["device add air-1 --kind air --district c --lat north", /A number was expected/],
    ["device add air-1 --kind air --district c --tag lane", /key=value/],
    ["device fly", /fly|unknown|too many/i],
  ])("%s is wrong usage, with the reason", async (line, reason) => {
    const result = await runCli(accounts, ...line.split(" "), ...(line === "device fly" ? [] : at));
    expect(result.code).toBe(2);
    if (line !== "device fly") expect(result.errors).toMatch(reason);
    expect(service.logins.size).toBe(0);
  });

  it("passes on why the service refuses", async () => {
    const wrong = await runCli(accounts, "device", "list", "--url", service.http, "--token", "wrong");
    expect(wrong).toMatchObject({ code: 1, errors: "Wrong token." });
    const nobody = await runCli(accounts, "device", "list", "--url", "http://127.0.0.1:1", "--token", "x");
    expect(nobody.code).toBe(1);
    expect(nobody.errors).toMatch(/http:\/\/127\.0\.0\.1:1 does not answer/);
  });
});

describe("what there is to see", () => {
  it("prints the books and fails when they do not balance", async () => {
    const balanced = await runCli(books, "ledger", ...at);
    expect(balanced).toMatchObject({ code: 0 });
    expect(balanced.out).toContain("the books balance");
    service.knobs.balanced = false;
    const wrong = await runCli(books, "ledger", ...at);
    expect(wrong.code).toBe(1);
    expect(wrong.out).toContain("DO NOT BALANCE");
  });

  it("says so when there is nothing", async () => {
    expect((await runCli(alerts, "alerts", ...at)).out).toBe("no alerts");
  });

  it("shows an alert with its explanation", async () => {
    service.knobs.alerts.push({
      startedAt: "2026-11-21T10:00:00.000Z",
      state: "firing",
      severity: "warning",
      handling: "open",
      rule: { id: "congestion" },
      subject: { sensorId: "traffic-1" },
      explanation: "occupancy above 35 %",
    });
    expect((await runCli(alerts, "alerts", ...at)).out.split("\n")[1]).toBe(
      "2026-11-21T10:00:00.000Z  firing  warning   open      congestion  traffic-1  occupancy above 35 %",
    );
    service.knobs.alerts[0] = { ...service.knobs.alerts[0], level: 2 };
    expect((await runCli(alerts, "alerts", ...at)).out).toContain("  firing  warning (2)  open  ");
  });

  it("asks for either ids or a reason to redrive", async () => {
    expect(await runCli(books, "quarantine", "redrive", ...at)).toMatchObject({ code: 2 });
    expect(await runCli(books, "quarantine", "redrive", "1", "--reason", "conflict", ...at)).toMatchObject({
      code: 2,
    });
    expect(await runCli(books, "quarantine", "redrive", "one", ...at)).toMatchObject({ code: 2 });
  });
});

describe("replay", () => {
  const CSV = "timestamp,value\n2015-09-01 10:00:00,1\nnever,2\n";

  it("plays a file and closes with a table that adds up", async () => {
    writeFileSync(join(dir, "occupancy_a.csv"), CSV);
    const mqtt = ["--mqtt", service.mqtt];
    const played = await runCli(recordings, "replay", join(dir, "occupancy_a.csv"), "--mapping", "nab", ...mqtt, ...at);
    expect(played.code).toBe(0);
    expect(played.out).toMatch(/quarantined +1\n +bad_timestamp +1\n/);
    expect(played.out).toContain("every reading is accounted for: 2 = 1 stored + 0 duplicates + 1 quarantined");
  });

  it("exits with 1 when something is missing", async () => {
    writeFileSync(join(dir, "occupancy_a.csv"), CSV);
    writeFileSync(join(dir, "speed_a.csv"), "timestamp,value\n2015-09-01 10:00:00,50\n");
    service.knobs.forget = (topic) => topic.endsWith("speed-a");
    const mqtt = ["--mqtt", service.mqtt, "--json"];
    const files = [join(dir, "occupancy_a.csv"), join(dir, "speed_a.csv")];
    const played = await runCli(recordings, "replay", ...files, "--mapping", "nab", ...mqtt, ...at);
    expect(played.code).toBe(1);
    expect(JSON.parse(played.out)).toMatchObject({ readings: 3, stored: 1, balanced: false });
  });

  it("--guess prints a mapping that can be saved and used as it is, and sends nothing", async () => {
    const file = join(dir, "loop_north.csv");
    writeFileSync(file, "time (UTC);speed (mph)\n2024-01-01 00:00;30,5\n2024-01-01 00:05;31,0\n");
    const guessed = await runCli(recordings, "replay", file, "--guess");
    expect(guessed.code).toBe(0);
    expect(guessed.out).toMatch(/^# 2024-01-01T00:00:00.000Z +loop-north +{"speed":49.084992}$/m);
    const saved = join(dir, "loop.yaml");
    writeFileSync(saved, guessed.out);
    expect(service.seen).toEqual([]);
    const played = await runCli(recordings, "replay", file, "--mapping", saved, "--mqtt", service.mqtt, ...at);
    expect(played.out).toMatch(/every reading is accounted for: 2 = 2 stored/);
  });

  it("is told how to be used right", async () => {
    const none = await runCli(recordings, "replay", "x.csv", "--mqtt", service.mqtt, ...at);
    expect(none).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/required option '--mapping <name>'.*--guess/),
    });
    const unknown = await runCli(recordings, "replay", "x.csv", "--mapping", "nob", "--mqtt", service.mqtt, ...at);
    expect(unknown.code).toBe(2);
    expect(unknown.errors).toMatch(/no mapping "nob".*beijing-multisite/);
    expect((await runCli(recordings, "replay", "x.csv", "--mapping", "nab", ...at)).errors).toMatch(
      /--url needs --mqtt/,
    );
    for (const speed of ["0", "-1", "fast"]) {
      expect(await runCli(recordings, "replay", "x.csv", "--mapping", "nab", "--speed", speed, ...at)).toMatchObject({
        code: 2,
      });
    }
    expect(await runCli(simulate, "simulate", "village", ...at)).toMatchObject({ code: 2 });
  });
});

describe("doctor and help", () => {
  it("finds the machine and the service in order, or says what to do", async () => {
    const well = await runCli(doctor, "doctor", "--json", ...at);
    expect(JSON.parse(well.out).findings.map((one: { check: string }) => one.check)).toEqual([
      ...["runtime", "settings", "data directory", "reachable", "journal", "ledger"],
    ]);
    expect(well.code).toBe(0);
    const gone = await runCli(doctor, "doctor", "--url", "http://127.0.0.1:1", "--token", "x");
    expect(gone.code).toBe(1);
    expect(gone.out).toMatch(/BAD {2}service.*does not answer[\s\S]*lamppost start/);
    const stranger = await runCli(doctor, "doctor", "--url", service.http, "--token", "x");
    expect(stranger.out).toMatch(/BAD {2}ledger.*Wrong token[\s\S]*admin-token/);
    const settings = () => loadConfig({ LAMPPOST_HTTP_PORT: "http" });
    expect(doctor.checkSettings(settings)).toMatchObject({ ok: false, found: expect.stringContaining("HTTP_PORT") });
    expect(doctor.checkRuntime("20.20.0")).toMatchObject({ ok: false });
    expect(doctor.checkDataDir("/proc/1/nothing/here")).toMatchObject({ ok: false });
  });

  it.each([
    [accounts, ["device", "add"]],
    [accounts, ["gateway", "add"]],
    [accounts, ["user", "add"]],
    [alerts, ["alerts"]],
    [books, ["ledger"]],
    [books, ["quarantine", "redrive"]],
    [recordings, ["replay"]],
    [simulate, ["simulate"]],
    [doctor, ["doctor"]],
  ])("every command has an example", async (module, path) => {
    const help = await runCli(module, ...path, "--help");
    expect(help.code).toBe(0);
    expect(help.out).toContain(`$ lamppost ${path[0]}`);
  });
});

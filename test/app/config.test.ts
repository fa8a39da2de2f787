import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigError, clientConfig, loadConfig, VARIABLES } from "../../app/config.ts";

function mistakesOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

describe("configuration", () => {
  it("needs nothing", () => {
    const config = loadConfig({});
    expect(config.http).toEqual({
      host: "127.0.0.1",
      port: 8080,
      allowedHosts: [],
      proxiesTrusted: [],
      connectionsMax: 2_000,
      connectionsPerAddressMax: 256,
      requestMs: 15_000,
      queriesMax: 3,
      queriesPerAccountMax: 2,
      queryMs: 30_000,
      exportsMax: 24,
      exportsPerAccountMax: 4,
    });
    expect(config.store).toEqual({ kind: "duckdb" });
    expect(config.dataDir).toMatch(/\/data$/);
  });

  it("names every mistake at once", () => {
    const mistakes = mistakesOf({
      LAMPPOST_HTTP_PORT: "eighty",
      LAMPPOST_MQTT_PORT: "70000",
      LAMPPOST_STORE: "mongodb",
      LAMPPOST_ADMIN_TOKEN: "admin",
      LAMPPOST_HTPP_HOST: "127.0.0.1",
      LAMPPOST_MQTTS_PORT: "8883",
    });
    expect(mistakes.map((mistake) => mistake.split(":")[0]).sort()).toEqual([
      "LAMPPOST_ADMIN_TOKEN",
      "LAMPPOST_HTPP_HOST",
      "LAMPPOST_HTTP_PORT",
      "LAMPPOST_MQTTS_PORT",
      "LAMPPOST_MQTT_PORT",
      "LAMPPOST_STORE",
    ]);
  });

  it("says which number was expected, and that two listeners cannot have one port", () => {
    expect(mistakesOf({ LAMPPOST_RETENTION_RAW_DAYS: "-1" })).toEqual([
      "LAMPPOST_RETENTION_RAW_DAYS: a whole number from 1 to 36500 was expected",
    ]);
    expect(mistakesOf({ LAMPPOST_MQTT_PORT: "8080" })).toEqual([
      "LAMPPOST_MQTT_PORT: 8080 is LAMPPOST_HTTP_PORT already",
    ]);
    expect(loadConfig({ LAMPPOST_HTTP_PORT: "0", LAMPPOST_MQTT_PORT: "0" }).http.port).toBe(0);
  });

  it("takes holidays as a list or from a file, and says where a mistake stands", () => {
    const dir = mkdtempSync(join(tmpdir(), "lamppost-holidays-"));
    const file = join(dir, "holidays.txt");
    writeFileSync(file, "12-25 Christmas\n2026-04-06\n");
    expect(loadConfig({ LAMPPOST_HOLIDAYS: "12-25, 2026-04-06" }).holidays).toEqual(["12-25", "2026-04-06"]);
    expect(loadConfig({ LAMPPOST_HOLIDAYS: file }).holidays).toEqual(["12-25", "2026-04-06"]);
    writeFileSync(file, "12-25\n04-31\n");
    const wrong = "write 12-25 for every year or 2026-04-06 for one";
    expect(mistakesOf({ LAMPPOST_HOLIDAYS: file })).toEqual([
      `LAMPPOST_HOLIDAYS: ${file} line 2, column 1: there is no day "04-31"; ${wrong}, month before day`,
    ]);
    expect(mistakesOf({ LAMPPOST_HOLIDAYS: "12-25, 1-1" })).toEqual([
      `LAMPPOST_HOLIDAYS: line 1, column 8: "1-1" is no day; ${wrong}`,
    ]);
    expect(mistakesOf({ LAMPPOST_HOLIDAYS: "Easter" })).toEqual([
      expect.stringMatching(/^LAMPPOST_HOLIDAYS: Easter is no list of days \(12-25, 2026-04-06\) and no file: /),
    ]);
    rmSync(dir, { recursive: true });
  });

  it("takes addresses of proxies, and places of map tiles, that can be ones", () => {
    const one = (name: string, value: string) => mistakesOf({ [name]: value }).length;
    expect(loadConfig({ LAMPPOST_HTTP_TRUSTED_PROXIES: "10.0.0.0/24, ::1" }).http.proxiesTrusted).toEqual([
      "10.0.0.0/24",
      "::1",
    ]);
    for (const wrong of ["proxy.example", "10.0.0.0/33", "10.0.0.0/8/8", "::1/129"])
      expect(one("LAMPPOST_HTTP_TRUSTED_PROXIES", wrong)).toBe(1);
    const url = "https://tiles.example/{z}/{x}/{y}.png";
    expect(loadConfig({ LAMPPOST_MAP_TILES_URL: url, LAMPPOST_PUBLIC_PAGE: "on" }).page).toEqual({
      isPublic: true,
      tilesUrl: url,
      mapAttribution: "tiles.example",
    });
    expect(one("LAMPPOST_MAP_TILES_URL", "/tiles/{z}/{x}/{y}.png")).toBe(0);
    for (const wrong of [
      "https://tiles.example/",
      "//tiles.example/{z}/{x}/{y}",
      "https://a;b/{z}/{x}/{y}",
      "ftp://a/{z}/{x}/{y}",
    ]) {
      expect(one("LAMPPOST_MAP_TILES_URL", wrong), wrong).toBe(1);
    }
  });

  it("wants InfluxDB 1.x or 2.x settings, not a mixture", () => {
    const base = { LAMPPOST_STORE: "influxdb", INFLUX_URL: "http://127.0.0.1:8086" };
    expect(mistakesOf(base)).toHaveLength(1);
    expect(mistakesOf({ ...base, INFLUX_DATABASE: "city" })).toEqual([]);
    expect(mistakesOf({ ...base, INFLUX_TOKEN: "t", INFLUX_ORG: "o", INFLUX_BUCKET: "b" })).toEqual([]);
    expect(
      mistakesOf({ ...base, INFLUX_TOKEN: "t", INFLUX_ORG: "o", INFLUX_BUCKET: "b", INFLUX_DATABASE: "city" }),
    ).toHaveLength(1);
    expect(mistakesOf({ ...base, INFLUX_URL: "ftp://x", INFLUX_DATABASE: "city" })).toHaveLength(1);
  });

  it.each([
    [
      "INFLUX_URL",
      "https://influx.example:8086/orgs/0123456789abcdef/load-data/buckets",
      /page of InfluxDB.*: https:\/\/influx.example:8086$/,
    ],
    ["INFLUX_URL", "http://influx.example:8086/signin", /page of InfluxDB/],
    ["INFLUX_URL", "http://influx.example:8086/?org=city", /without what follows/],
    ["INFLUX_TOKEN", "Token s3cret==", /word "Token"/],
    ["INFLUX_TOKEN", "Bearer s3cret==", /word "Token" or "Bearer"/],
    ["INFLUX_TOKEN", '"s3cret=="', /quotes/],
    ["INFLUX_TOKEN", "s3cret==\n", /line breaks/],
    ["INFLUX_TOKEN", "s3 cret==", /spaces/],
    ["INFLUX_TOKEN", "s3crét==", /characters/],
    ["INFLUX_BUCKET", "readings ", /spaces at its ends/],
    ["INFLUX_BUCKET", "_monitoring", /InfluxDB's own/],
    ["INFLUX_ORG", "city\n", /line breaks/],
  ])("says in one sentence what is odd about %s=%s, without showing a token", (name, value, words) => {
    const sound = {
      INFLUX_URL: "https://influx.example/db",
      INFLUX_TOKEN: "s-_3/+==",
      INFLUX_ORG: "a city",
      INFLUX_BUCKET: "a/b/c",
    };
    const base = { LAMPPOST_STORE: "influxdb", ...sound };
    expect(mistakesOf(base)).toEqual([]);
    const mistakes = mistakesOf({ ...base, [name]: value });
    expect(mistakes).toEqual([expect.stringMatching(words)]);
    expect(mistakes[0]).toMatch(new RegExp(`^${name}: `));
    expect(mistakes[0]).not.toMatch(/s3|cret/);
  });

  it("takes the address of an external broker apart, and only topics under city/", () => {
    const url = "mqtts://city:p%40ss@broker.example:8884";
    expect(loadConfig({ LAMPPOST_MQTT_SOURCE_URL: url }).mqttSource).toEqual({
      host: "broker.example",
      port: 8884,
      username: "city",
      password: "p@ss",
      tls: {},
      clientId: "lamppost-source",
      topics: ["city/#"],
      readingsPerS: 50_000,
    });
    const plain = loadConfig({
      LAMPPOST_MQTT_SOURCE_URL: "mqtt://[::1]",
      LAMPPOST_MQTT_SOURCE_TOPICS: "city/a/#, city/b/+/x",
    });
    expect(plain.mqttSource).toMatchObject({ host: "::1", port: 1883, topics: ["city/a/#", "city/b/+/x"] });
    expect(plain.mqttSource?.tls).toBeUndefined();
    for (const bad of [
      "broker:1883",
      "http://broker",
      "mqtt://",
      "mqtt://broker/path",
      "mqtt://a%:b@broker",
      "mqtt://:b@broker",
    ])
      expect(mistakesOf({ LAMPPOST_MQTT_SOURCE_URL: bad })).toHaveLength(1);
    for (const bad of ["#", "import/#", "city/#/air", "city/a+/x", "$share/g/city/#", "city/#,"])
      expect(mistakesOf({ LAMPPOST_MQTT_SOURCE_TOPICS: bad })).toHaveLength(1);
    expect(mistakesOf({ LAMPPOST_MQTT_SOURCE_URL: "mqtt://broker", LAMPPOST_MQTT_SOURCE_CA: "ca.pem" })).toHaveLength(
      1,
    );
  });

  it("knows a mail server with its sender, and which hosts may be told", () => {
    const smtp = {
      LAMPPOST_SMTP_URL: "smtp://city:p%40ss@mail.example:587",
      LAMPPOST_SMTP_FROM: "Lamp <lamp@city.example>",
    };
    expect(loadConfig({ ...smtp, LAMPPOST_NOTIFY_ALLOW: "hooks.internal, 10.1.0.0/16,::1" }).notify).toEqual({
      smtp: { url: smtp.LAMPPOST_SMTP_URL, from: smtp.LAMPPOST_SMTP_FROM },
      allow: ["hooks.internal", "10.1.0.0/16", "::1"],
      holdMs: 60_000,
      publicUrl: undefined,
    });
    for (const bad of ["10.1.0.0/99", "http://hooks.internal", "a b"])
      expect(mistakesOf({ LAMPPOST_NOTIFY_ALLOW: bad }), bad).toHaveLength(1);
    expect(mistakesOf({ LAMPPOST_SMTP_URL: smtp.LAMPPOST_SMTP_URL })).toHaveLength(1);
    expect(mistakesOf({ ...smtp, LAMPPOST_SMTP_URL: "mail.example" })).toHaveLength(1);
    for (const bad of ["nobody", "Lamp <lamp>", "a@b.example\r\nBcc: c@d.example"])
      expect(mistakesOf({ ...smtp, LAMPPOST_SMTP_FROM: bad }), bad).toHaveLength(1);
    // The password is in the address: no mistake may print it.
    expect(mistakesOf({ ...smtp, LAMPPOST_SMTP_URL: "http://u:hidden@x" }).join()).not.toContain("hidden");
  });

  describe("secrets from files", () => {
    const dir = mkdtempSync(join(tmpdir(), "lamppost-secrets-"));
    afterAll(() => rmSync(dir, { recursive: true }));
    const fileWith = (text: string) => {
      const path = join(dir, randomUUID());
      writeFileSync(path, text);
      return path;
    };
    const pipe = () => {
      const path = join(dir, randomUUID());
      execFileSync("mkfifo", [path]);
      return path;
    };
    const TOKEN = "hidden".repeat(8);

    it("are taken where the setting itself is not given, without the line's end", () => {
      expect(loadConfig({ LAMPPOST_ADMIN_TOKEN_FILE: fileWith(`${TOKEN}\r\n`) }).adminToken).toBe(TOKEN);
      expect(clientConfig({ LAMPPOST_ADMIN_TOKEN_FILE: fileWith(TOKEN) }).adminToken).toBe(TOKEN);
      const influx = { LAMPPOST_STORE: "influxdb", INFLUX_URL: "http://127.0.0.1:8086" };
      const second = { ...influx, INFLUX_TOKEN_FILE: fileWith("t"), INFLUX_ORG: "o", INFLUX_BUCKET: "b" };
      expect(loadConfig(second).store).toMatchObject({ flavour: { token: "t" } });
      const first = { ...influx, INFLUX_DATABASE: "d", INFLUX_USERNAME: "u", INFLUX_PASSWORD_FILE: fileWith("p@ss") };
      expect(loadConfig(first).store).toMatchObject({ flavour: { password: "p@ss" } });
    });

    it("may be addresses with a password, or the password to an address without one", () => {
      const from = { LAMPPOST_SMTP_FROM: "lamp@city.example" };
      const whole = "smtp://city:p%40ss@mail.example:587";
      expect(loadConfig({ ...from, LAMPPOST_SMTP_URL_FILE: fileWith(whole) }).notify.smtp?.url).toBe(whole);
      const password = { LAMPPOST_SMTP_PASSWORD_FILE: fileWith("p@ss%/:") };
      const { smtp } = loadConfig({ ...from, ...password, LAMPPOST_SMTP_URL: "smtp://city@mail.example:587" }).notify;
      expect(decodeURIComponent(new URL(smtp!.url).password)).toBe("p@ss%/:");
      const source = { LAMPPOST_MQTT_SOURCE_PASSWORD_FILE: fileWith("p@ss%/:") };
      expect(loadConfig({ ...source, LAMPPOST_MQTT_SOURCE_URL: "mqtt://city@broker" }).mqttSource).toMatchObject({
        username: "city",
        password: "p@ss%/:",
      });
      for (const address of [undefined, "smtp://mail.example", whole])
        expect(mistakesOf({ ...from, ...password, LAMPPOST_SMTP_URL: address! }).join()).toContain(
          "LAMPPOST_SMTP_PASSWORD:",
        );
      expect(mistakesOf({ ...source, LAMPPOST_MQTT_SOURCE_URL: "mqtt://a:b@broker" })).toHaveLength(1);
    });

    it.each([
      ["a file that is not there", "/nowhere/token", "cannot be read (ENOENT)"],
      ["a folder", dir, "cannot be read (EISDIR)"],
      ["an empty file", fileWith("\n"), "does not hold one line"],
      ["a file of many lines", fileWith(`${TOKEN}\nhidden`), "does not hold one line"],
      ["a large file", fileWith(TOKEN.repeat(2_000)), "more than 65536 bytes"],
      ["a device that has no end", "/dev/zero", "is a device or pipe"],
      ["a pipe that nobody writes to", pipe(), "is a device or pipe"],
    ])("are a mistake in %s, which never shows what stands in it", (_, file, words) => {
      const [mistake, ...more] = mistakesOf({ LAMPPOST_ADMIN_TOKEN_FILE: file });
      expect([mistake, more]).toEqual([expect.stringMatching(/^LAMPPOST_ADMIN_TOKEN_FILE: /), []]);
      expect(mistake).toContain(words);
      expect(mistake).not.toContain("hidden");
      expect(() => clientConfig({ LAMPPOST_ADMIN_TOKEN_FILE: file })).toThrow(ConfigError);
    });

    it("are a mistake beside the setting, and held to the same rule", () => {
      expect(mistakesOf({ LAMPPOST_ADMIN_TOKEN: TOKEN, LAMPPOST_ADMIN_TOKEN_FILE: fileWith(TOKEN) })).toEqual([
        "LAMPPOST_ADMIN_TOKEN_FILE: LAMPPOST_ADMIN_TOKEN is set as well; give one of the two",
      ]);
      expect(mistakesOf({ LAMPPOST_ADMIN_TOKEN_FILE: fileWith("short") })).toHaveLength(1);
    });
  });

  it("lets a password go to a mail server without TLS only where its name is listed", () => {
    const smtp = { LAMPPOST_SMTP_URL: "smtp://city:p@Mail.example", LAMPPOST_SMTP_FROM: "lamp@city.example" };
    const allowed = (list: string) =>
      loadConfig({ ...smtp, LAMPPOST_SMTP_PLAINTEXT_ALLOW: list }).notify.smtp?.plaintextAllowed;
    expect([allowed(""), allowed("other.example"), allowed("other.example, mail.EXAMPLE")]).toEqual([
      ...[undefined, undefined, true],
    ]);
  });

  it("takes no more queries of DuckDB than there are threads for, and says what to set", () => {
    const mistakes = (queries: number, more = {}) => mistakesOf({ LAMPPOST_QUERIES_MAX: String(queries), ...more });
    expect(mistakes(11)).toEqual([]);
    expect(mistakes(12)).toEqual([
      "LAMPPOST_QUERIES_MAX: 12 queries of DuckDB at a time need 17 threads, and there are 16; start with UV_THREADPOOL_SIZE=17, or set at most 11",
    ]);
    expect(mistakes(12, { UV_THREADPOOL_SIZE: "17" })).toEqual([]);
    const influx = { LAMPPOST_STORE: "influxdb", INFLUX_URL: "http://127.0.0.1:8086", INFLUX_DATABASE: "city" };
    expect(mistakes(64, influx)).toEqual([]);
    // What always started goes on to start.
    expect(mistakes(3, { UV_THREADPOOL_SIZE: "4" })).toEqual([]);
  });

  it("is described in .env.example, setting for setting", () => {
    const example = readFileSync(join(import.meta.dirname, "../..", ".env.example"), "utf8");
    const named = [...example.matchAll(/^#?\s?((?:LAMPPOST|INFLUX)_[A-Z_]+)=/gm)].map((match) => match[1]!);
    expect([...new Set(named)].sort()).toEqual([...VARIABLES].sort());
  });

  it("refuses a name of a 1.x database that InfluxDB itself refuses", () => {
    const env = { LAMPPOST_STORE: "influxdb", INFLUX_URL: "http://127.0.0.1:8086" };
    for (const INFLUX_DATABASE of ["a/b", "a\\b", ".."])
      expect(() => loadConfig({ ...env, INFLUX_DATABASE })).toThrow(/INFLUX_DATABASE: InfluxDB 1\.x takes no name/);
    expect(() => loadConfig({ ...env, INFLUX_DATABASE: "city.raw" })).not.toThrow();
  });
});

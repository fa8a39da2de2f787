import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../../model/log.ts";
import { openRecords } from "../../store/records.ts";
import { T0 } from "../helpers/readings.ts";
import { startService } from "./service.ts";

let service: ReturnType<typeof startService>;
beforeEach(() => {
  service = startService();
});
afterEach(() => service.close());

async function send(file: string | Buffer, query = "") {
  const headers = { "content-type": "text/csv" };
  return service.as("operator", "POST", `/api/v1/register${query}`, file, headers);
}
const take = async (file: string | Buffer, query = "") => (await send(file, query)).json();
const sensor = (id: string) => service.records.sensors.get(id);
const HEAD = "id,kind,district,name,lat,lon,intervalS,gateway,replaces,login,tag:site";

describe("the register as a file", () => {
  it("adds and changes all of it, with passwords that open", async () => {
    const answer = await take(
      `${HEAD}\nair-1,,north,,,,30,,,,roof\nair-2,air,harbour,"Quay, east",52.5,13.4,60,gw-north,,yes,quay\n`,
    );
    expect(answer).toMatchObject({ applied: true, added: 1, changed: 1, unchanged: 0, mistakes: [] });
    expect(sensor("air-1")).toMatchObject({ district: "north", intervalS: 30, tags: { site: "roof" } });
    expect(sensor("air-1")!.name).toBeUndefined();
    const added = { kind: "air", district: "harbour", name: "Quay, east", lat: 52.5, lon: 13.4, gateway: "gw-north" };
    expect(sensor("air-2")).toMatchObject({ ...added, createdAt: T0, tags: { site: "quay" } });
    const [{ username, password }] = answer.passwords;
    const sent = await service.app.inject({
      method: "POST",
      url: "/api/v1/readings",
      headers: { authorization: `Bearer ${password}` },
      payload: { sensorId: username, kind: "air", district: "harbour", pm25: 1 },
    });
    expect(sent.statusCode).toBe(202);
    expect(service.records.audit.list(1).items[0]).toMatchObject({
      by: "operator",
      what: "sensor.import",
      detail: "1 added, 1 changed; 1 with a new password",
    });
  });

  it("takes and gives tags that are called like what every object has", async () => {
    expect(await take("id,tag:constructor,tag:toString\nair-1,ACME,\n")).toMatchObject({ applied: true, changed: 1 });
    expect(await take("id,kind,district\nair-2,air,north\n")).toMatchObject({ added: 1 });
    const { body, statusCode } = await service.as("operator", "GET", "/api/v1/register");
    expect(statusCode).toBe(200);
    expect(body.split("\r\n").map((line: string) => line.split(",").at(-1))).toEqual([
      "tag:constructor",
      "ACME",
      "",
      "",
    ]);
    expect((await take("id,tag:__proto__\nair-1,x\n")).mistakes).toEqual([
      { line: 1, column: "tag:__proto__", detail: "A tag cannot have this name." },
    ]);
  });

  it("says where a quote is never closed, and nothing of what it swallows", async () => {
    const rows = 'u-1,air,centre,"abc\nu-2,air,centre,two\nu-3,air,centre,three\n';
    const never = { detail: "The quote is never closed." };
    expect(await take(`id,kind,district,name\n${rows}`)).toMatchObject({
      applied: false,
      mistakes: [{ line: 2, ...never }],
    });
    const later = 'id,kind,district,name\nu-0,air,centre,"two\nlines"\n';
    expect((await take(`${later}${rows}`)).mistakes).toEqual([{ line: 4, ...never }]);
    expect((await take('id,"kind\nu-1,air\n')).mistakes).toEqual([{ line: 1, ...never }]);
  });

  it("refuses tags of a place that nobody could read, but not what stands on the register already", async () => {
    const { id, ...rest } = sensor("air-1")!;
    service.records.sensors.update(id, { ...rest, name: "a\u0007", tags: { altitude: "high" } });
    expect(await take("id,lat,name,tag:altitude\nair-1,52.5,a\u0007,high\n")).toMatchObject({
      applied: true,
      changed: 1,
    });
    const answer = await take("id,name,tag:altitude,tag:standIns\nair-1,a\u001bb,higher,xx=5\n");
    expect(answer.mistakes.map(({ column }: { column: string }) => column)).toEqual([
      ...["name", "tag:altitude", "tag:standIns"],
    ]);
    expect(await take("id,tag:altitude,tag:standIns\nair-1,2240,temperature=-55\n")).toMatchObject({ applied: true });
  });

  it("says every mistake with its line and changes nothing", async () => {
    const file = [
      HEAD,
      "air-2,air,north,,91,,,,,,",
      '"air-3",water,"No where","over\ntwo lines",,,x,gw-none,air-99,maybe,',
      "air-2,air,north,,,,,,,,",
      ",air,north,,,,,,,,",
      "admin,air,north,,,,,,,yes,",
      "air-1,energy,north,,,,,,,,",
      "air-5,,,,,,,,,,",
      "air-6,air,north,,,,,,,,,more",
    ].join("\r\n");
    const answer = await take(file);
    expect(answer.mistakes.map(({ line, column }: { line: number; column: string }) => `${line} ${column}`)).toEqual([
      ...["2 lat", "3 kind", "3 district", "3 gateway", "3 login", "3 intervalS"],
      ...["5 id", "6 id", "7 login", "8 kind", "9 kind", "9 district", "10 tag:site"],
    ]);
    expect(answer).toMatchObject({ applied: false, mistakesInAll: 13, passwords: [] });
    expect(service.records.sensors.list().map(({ id }) => id)).toEqual(["air-1"]);
    expect((await take("")).mistakes).toEqual([{ line: 1, detail: "The file is empty." }]);
    expect((await take("kind,colour\nair,red")).mistakes).toMatchObject([
      { line: 1, detail: expect.stringContaining('no column "colour"') },
      { line: 1, column: "id" },
    ]);
    const links = "id,kind,district,replaces\na-1,air,x,air-1\na-2,air,x,air-1\na-3,air,x,nobody\ne-1,energy,x,a-1\n";
    expect((await take(links)).mistakes.map(({ line }: { line: number }) => line)).toEqual([3, 4, 5]);
    expect(sensor("air-1")).toBeDefined();
  });

  it("tries a file out without a change, and leaves what has no column", async () => {
    const file = "id,name\nair-1,Other\n";
    expect(await take(file, "?dryRun=true")).toMatchObject({ applied: false, changed: 1 });
    expect(sensor("air-1")!.name).toBe("Station");
    await service.as("operator", "PATCH", "/api/v1/sensors/air-1", { intervalS: 60, tags: { a: "1" } });
    await take(file);
    expect(sensor("air-1")).toMatchObject({ name: "Other", intervalS: 60, tags: { a: "1" } });
    expect(await take(file)).toMatchObject({ applied: true, changed: 0, unchanged: 1 });
  });

  it("understands what spreadsheets write", async () => {
    const german = "sep=;\r\nID;Kind;District;Name;Latitude;Lon\r\nair-2;air;nord;Größe;52,5;-13.25\r\n";
    for (const file of [
      Buffer.from(`\ufeff${german}`),
      Buffer.from(`\ufeff${german}`, "utf16le"),
      Buffer.from(`\ufeff${german}`, "utf16le").swap16(),
      Buffer.from(german, "latin1"),
    ]) {
      service.records.sensors.remove("air-2");
      expect(await take(file)).toMatchObject({ applied: true, added: 1 });
      expect(sensor("air-2")).toMatchObject({ name: "Größe", lat: 52.5, lon: -13.25 });
    }
    const mac = 'id\tkind\tdistrict\tname\rair-3\tair\tnorth\t"a ""b"""\r\r';
    expect(await take(mac)).toMatchObject({ added: 1 });
    expect(sensor("air-3")!.name).toBe('a "b"');
    expect((await take("id;lat\nair-1;1.234,5\n")).mistakes).toMatchObject([{ line: 2, column: "lat" }]);
  });

  it("goes round: what is exported is imported without a change, in any locale, and runs no formula", async () => {
    service.records.sensors.add({
      ...{ id: "air-2", kind: "air", district: "north", name: "=cmd|x", lat: 52.25, lon: -0.5, intervalS: 60 },
      ...{ tags: { note: 'a;b, "c"\nd', sign: "-5", quoted: "'=x" }, gateway: "gw-north", createdAt: T0 },
    });
    for (const locale of ["", "?locale=de", "?locale=en-GB"]) {
      const file = (await service.as("operator", "GET", `/api/v1/register${locale}`)).rawPayload;
      expect(file.toString()).toContain("'=cmd|x");
      if (locale === "?locale=de") expect(file.toString()).toMatch(/^\ufeffid;kind;.*52,25;-0,5;60/s);
      expect(await take(file)).toMatchObject({ applied: true, added: 0, changed: 0, unchanged: 2, mistakes: [] });
    }
    expect((await service.as("operator", "GET", "/api/v1/register?locale=!")).statusCode).toBe(400);
  });

  it("moves and replaces like any change, and goes by what it has seen", async () => {
    const answer = await take("id,kind,district,replaces\nair-2,air,north,air-1\n");
    expect(answer.applied).toBe(true);
    expect(service.records.sensors.retired("air-1")).toMatchObject({ replacedBy: "air-2" });
    expect(service.records.credentials.byName("air-1")).toBeUndefined();
    expect(service.disconnected).toEqual(["air-1"]);
    expect((await take("id,district\nair-1,north\n")).mistakes[0].detail).toContain("was taken off the register");
    service.tick(1_000);
    await take("id,district\nair-2,harbour\n");
    expect(sensor("air-2")!.places).toHaveLength(2);
    const under = send("id,name\nair-2,Late\n");
    service.records.sensors.update("air-2", { name: "First" });
    const late = await under;
    expect([late.statusCode, sensor("air-2")!.name].join(" ")).toMatch(/^(409 First|200 Late)$/);
  });

  it("is bounded, and CSV", async () => {
    expect((await service.as("operator", "POST", "/api/v1/register", { id: "x" })).statusCode).toBe(415);
    expect((await send(Buffer.alloc(9 * 1024 * 1024, "a"))).statusCode).toBe(413);
    const many = `id,kind,district\n${Array.from({ length: 20_001 }, (_, i) => `s-${i},air,x\n`).join("")}`;
    expect((await take(many, "?dryRun=true")).mistakes).toMatchObject([{ line: 20_002 }]);
  });
});

describe("a file that counts", () => {
  it("is carried out by the next start; one that does not is forgotten", () => {
    const dir = mkdtempSync(join(tmpdir(), "lamppost-register-"));
    const open = () => openRecords({ path: join(dir, "records.db"), now: () => T0, log: SILENT });
    const some = (prefix: string) =>
      Array.from({ length: 450 }, (_, i) => ({
        sensor: { id: `${prefix}-${i}`, kind: "air", district: "x", tags: {}, createdAt: T0 } as const,
      }));
    let records = open();
    records.registerImports.stage(some("a"));
    records.close();
    records = open();
    expect(records.sensors.count()).toBe(0);
    records.registerImports.stage(some("b"));
    records.registerImports.commit();
    expect(records.registerImports.carryOut()).toBe(true);
    expect(records.sensors.count()).toBe(200);
    records.close();
    records = open();
    expect(records.sensors.count()).toBe(450);
    expect(records.registerImports.isUnderway()).toBe(false);
    records.close();
    rmSync(dir, { recursive: true });
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as sensors from "../../cli/sensors.ts";
import { startService } from "../api/service.ts";
import { runCli } from "./run-cli.ts";

let service: ReturnType<typeof startService>;
let at: string[];
beforeEach(async () => {
  service = startService();
  await service.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = service.app.server.address() as AddressInfo;
  at = ["--url", `http://127.0.0.1:${port}`, "--token", "operator-token"];
});
afterEach(() => service.close());

const run = (line: string, ...more: string[]) => runCli(sensors, "sensor", ...line.split(" "), ...more, ...at);

describe("sensor", () => {
  it("edits what is said, takes away what is to go, and passes on what is left to do", async () => {
    const edited = await run("edit air-1 --lat 52.5 --lon 13.4 --interval 60 --tag a=1 --tag nominalVoltage=10000");
    expect(edited).toMatchObject({ code: 0, errors: "" });
    expect(edited.out).toContain("place     52.5, 13.4");
    await run("edit air-1 --untag a --clear interval --clear name");
    const { tags, intervalS, name } = service.records.sensors.get("air-1")!;
    expect({ tags, intervalS, name }).toEqual({ tags: { nominalVoltage: "10000" } });
    expect((await run("edit air-1 --district harbour")).out).toContain("publishes to city/harbour/air/air-1");
    expect((await run("show air-1")).out).toMatch(/stood in +north from 2026/);
  });

  it("lets no name move the terminal's cursor or hide a part of a line", async () => {
    const { id, ...rest } = service.records.sensors.get("air-1")!;
    service.records.sensors.update(id, { ...rest, name: "a\u001b[2J\u202eb\u0007" });
    for (const line of ["show air-1", "list"]) expect((await run(line)).out).toContain("a\ufffd[2J\ufffdb\ufffd");
  });

  it("takes one off the register and puts it back", async () => {
    expect(await run("remove air-1")).toMatchObject({ code: 0 });
    expect(service.records.sensors.get("air-1")).toBeUndefined();
    expect((await run("list --retired")).out).toContain("air-1");
    expect((await run("list")).out).not.toContain("air-1");
    expect(await run("restore air-1")).toMatchObject({ code: 0 });
    expect(JSON.parse((await run("list --json")).out)).toMatchObject([{ id: "air-1" }]);
  });

  it("brings a register in from a file, with passwords where only their owner reads them, and takes it out again", async () => {
    const dir = mkdtempSync(join(tmpdir(), "lamppost-sensors-"));
    const [file, passwords, out] = ["in.csv", "passwords.csv", "out.csv"].map((name) => join(dir, name)) as string[];
    writeFileSync(file!, "id;kind;district;lat;login\nair-2;air;north;52,5;yes\nair-3;air;north;;no\n");
    const tried = await run(`import ${file} --dry-run`);
    expect(tried).toMatchObject({ code: 0, out: "would be: 2 added, 0 changed, 0 as they were; nothing was changed" });
    expect(service.records.sensors.get("air-2")).toBeUndefined();
    expect(await run(`import ${file} --passwords ${passwords}`)).toMatchObject({ code: 0, errors: "" });
    expect(statSync(passwords!).mode & 0o777).toBe(0o600);
    expect(readFileSync(passwords!, "utf8")).toMatch(/^username,password\nair-2,\S{40,}\n$/);
    expect((await run(`import ${file} --passwords ${passwords}`)).errors).toContain("is there already");
    await run(`export ${out} --locale de`);
    expect(readFileSync(out!, "utf8")).toMatch(/^\ufeffid;kind;district/);
    expect((await run(`import ${out} --passwords ${join(dir, "p2.csv")}`)).out).toBe(
      "0 added, 0 changed, 3 as they were",
    );
    expect(existsSync(join(dir, "p2.csv"))).toBe(false);
    writeFileSync(file!, "id,kind,district\nair-4,water,north\nair-4,air,north\n");
    const wrong = await run(`import ${file}`);
    expect(wrong).toMatchObject({ code: 1, out: expect.stringMatching(/line 2, kind: .*\n.*line 3, id: .* line 2/) });
    rmSync(dir, { recursive: true });
  });

  it("says what is wrong", async () => {
    expect(await run("edit air-1")).toMatchObject({ code: 1, errors: expect.stringContaining("nothing to change") });
    expect(await run("edit air-1 --clear kind")).toMatchObject({ code: 2 });
    expect((await run("edit air-9 --name x")).errors).toContain('There is no sensor "air-9"');
  });
});

import { afterEach, beforeEach, expect, it } from "vitest";
import * as alerts from "../../cli/alerts.ts";
import { startService } from "../api/service.ts";
import { runCli } from "./run-cli.ts";

let service: ReturnType<typeof startService>;
let at: string[];
beforeEach(async () => {
  service = startService({ now: Date.now });
  at = ["--url", await service.app.listen({ host: "127.0.0.1", port: 0 }), "--token", "operator-token"];
});
afterEach(() => service.close());

const run = (...args: string[]) => runCli(alerts, "silence", ...args, ...at);

it("adds, lists and ends a silence", async () => {
  const which = ["--gateway", "gw-north,gw-import", "--severity", "warning", "--tag", "feeder=f-1", "--tag", "lane=2"];
  const added = await run("add", ...which, "--for", "2h", "--reason", "firmware", "--maintenance");
  expect(added).toMatchObject({ code: 0, errors: "" });
  expect(added.out).toMatch(/^maintenance 1 is on until 2/);
  const [kept] = service.records.silences.current();
  expect(kept).toMatchObject({
    matchers: { gateway: ["gw-north", "gw-import"], severity: "warning", tag: { feeder: "f-1", lane: "2" } },
    reason: "firmware",
    createdBy: "operator",
  });
  expect(kept!.endsAt! - kept!.startsAt).toBeGreaterThan(7_100_000);
  expect((await run("list")).out).toContain("firmware");
  expect((await run("end", "1")).out).toContain("silence 1 is over");
  expect((await run("list")).out).toContain("no silences");
});

it("says what it would cover, and saves nothing then", async () => {
  const tried = await run("add", "--district", "north", "--for", "2h", "--reason", "test", "--dry-run");
  expect(tried).toMatchObject({ code: 0, out: expect.stringContaining("it would cover 1 sensor, 0 open alerts") });
  expect(service.records.silences.current()).toEqual([]);
  const done = await run("add", "--district", "north", "--for", "2h", "--reason", "test");
  expect(done.out).toMatch(/: 1 sensor, 0 open alerts\s*$/);
});

it("says what is wrong", async () => {
  const none = await run("add", "--for", "2h", "--reason", "everything");
  expect([none.code, none.errors]).toEqual([1, expect.stringContaining("at least one matcher")]);
  expect((await run("add", "--sensor", "s-1", "--for", "soon", "--reason", "test")).code).toBe(2);
  expect((await run("end", "7")).errors).toContain('no silence "7"');
});

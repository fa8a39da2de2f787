import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as alerts from "../../cli/alerts.ts";
import * as doctor from "../../cli/doctor.ts";
import * as targets from "../../cli/targets.ts";
import { say } from "../../model/sentence.ts";
import { firing, startService } from "../api/service.ts";
import { T0 } from "../helpers/readings.ts";
import { runCli } from "./run-cli.ts";

let service: ReturnType<typeof startService>;
let at: string[];
beforeEach(async () => {
  service = startService();
  at = ["--url", await service.app.listen({ host: "127.0.0.1", port: 0 }), "--token", "admin-token"];
});
afterEach(() => service.close());

const target = (...args: string[]) => runCli(targets, "target", ...args, ...at);

describe("targets from the command line", () => {
  it("are added, told another language and zone, listed and removed; what is not named stays", async () => {
    const hook = ["--type", "webhook", "--address", "https://hooks.city.example/x"];
    const added = await target("add", "desk", ...hook, "--language", "de", "--time-zone", "Europe/Vienna");
    expect(added).toMatchObject({ code: 0, out: expect.stringMatching(/^target desk is added\nsecret {2}whsec_/) });
    const secret = service.records.targets.get("desk")!.secret;
    const changed = await target("set", "desk", "--language", "es", "--severity-min", "warning");
    expect(changed.out).toBe("target desk: webhook, language es, time zone Europe/Vienna, on");
    expect(service.records.targets.get("desk")).toMatchObject({
      language: "es",
      timeZone: "Europe/Vienna",
      severityMin: "warning",
      url: "https://hooks.city.example/x",
      secret,
    });
    expect((await target("set", "desk", "--time-zone", "city", "--disable")).out).toContain("time zone city, off");
    expect(service.records.targets.get("desk")!.timeZone).toBeUndefined();
    expect((await target("list")).out).toMatch(/desk +desk +webhook +es +city +no/);
    expect((await target("remove", "desk")).out).toBe("target desk is removed");
    expect((await target("list")).out).toBe("no targets");
  });

  it("refuse a language and a zone that there are not, as wrong usage", async () => {
    for (const wrong of [
      ["--language", "fr"],
      ["--time-zone", "Mars/Base"],
    ])
      expect(await target("set", "desk", ...wrong)).toMatchObject({ code: 2 });
  });

  it("say in the language that is asked for why it is refused", async () => {
    expect((await target("set", "nobody", "--lang", "de")).errors).toContain("Ziel „nobody“ gibt es nicht.");
    expect((await target("set", "nobody", "--lang", "es")).errors).toContain("No existe: destino «nobody».");
    expect((await target("set", "nobody")).errors).toContain('There is no target "nobody".');
  });
});

describe("alerts and the doctor in a language", () => {
  it("lists and shows alerts, with what has become of them", async () => {
    const explanation = say("threshold", {
      metric: "no2",
      where: "air-1",
      value: { value: 210.5, of: "no2" },
      at: T0,
      side: "above",
      limit: { value: 200, of: "no2" },
    });
    const begun = firing("al-1", {
      rule: { id: "r", version: "1", title: "NO2", source: "Practice: below 10 %" },
      says: { title: say("rule.title", { rule: "eu-no2-alert" }), explanation: [explanation] },
    });
    service.records.alerts.apply(begun);
    const list = await runCli(alerts, "alerts", "--lang", "de", ...at);
    expect(list.out).toMatch(/^Beginn +Zustand/);
    expect(list.out).toContain("210,5 µg/m³");
    const [{ id }] = JSON.parse((await runCli(alerts, "alerts", "--json", "--lang", "de", ...at)).out);
    const shown = await runCli(alerts, "alerts", id, "--lang", "es", ...at);
    expect(shown.out).toContain("Origen del límite: Práctica: por debajo del 10 %");
    expect(shown.out).toContain("Qué ocurrió:");
    expect((await runCli(alerts, "alerts", ...at)).out).toMatch(/^started +state/);
  });

  it("says what it found", async () => {
    const found = await runCli(doctor, "doctor", "--lang", "de", ...at);
    expect(found.out).toContain("Laufzeitumgebung");
    expect(found.out).toMatch(/in Ordnung|die Bücher stimmen/);
    expect(JSON.parse((await runCli(doctor, "doctor", "--lang", "de", "--json", ...at)).out).findings[0].check).toBe(
      "runtime",
    );
  });
});

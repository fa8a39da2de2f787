import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import {
  closeVisits,
  expectAccessible,
  expectEachTheme,
  HAS_BROWSER,
  shoot,
  type VisitOptions,
  visit,
} from "./browser.ts";
import { raiseNo2 } from "./rule-history.ts";

describe.runIf(HAS_BROWSER)("the rules", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
    await tryShadow(city);
    const items = await raiseNo2(city);
    await city.api(`/alerts/${items[0]!.id}/acknowledge`, {});
    await city.api(`/alerts/${items[0]!.id}/review`, { verdict: "right" });
    await city.api(`/alerts/${items[1]!.id}/review`, { verdict: "wrong", note: "A lorry stood there" });
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  const open = async (path: string, options: VisitOptions = {}) => {
    const visited = await visit(city, { token: city.token, ...options });
    await visited.goTo(path);
    return visited;
  };

  it("lists every rule with how it does, and keeps filters and order in the address", async () => {
    const { page, complaints, close } = await open("/rules");
    const rows = page.locator(".rules-table tbody tr");
    await rows.first().waitFor();
    const all = await rows.count();
    expect(all).toBeGreaterThan(80);
    await page.getByLabel("Search").fill("nitrogen dioxide");
    await page.getByLabel("Audience", { exact: true }).selectOption("operators");
    await page.getByText(`2 of ${all} rules`).waitFor();
    await page.getByRole("button", { name: "Sort by: Alerts a day" }).click();
    expect(new URL(page.url()).search).toBe("?q=nitrogen+dioxide&for=operators&sort=perDay&dir=down");
    await page.reload();
    await rows.first().getByRole("link", { name: "Nitrogen dioxide information threshold" }).waitFor();
    expect(await page.getByRole("columnheader", { name: /Alerts a day/ }).getAttribute("aria-sort")).toBe("descending");
    expect(await rows.first().getByRole("cell").allTextContents()).toEqual([
      "50%",
      "0.07",
      "0",
      expect.stringMatching(/^\d+ s$/),
      "–",
    ]);
    await page.getByLabel("Mode").selectOption("shadow");
    await rows.filter({ hasText: "Shadow" }).filter({ hasText: "admin" }).waitFor();
    expect(await rows.count()).toBe(1);
    await page.getByLabel("Search").fill("no such thing");
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByText(`${all} rules`, { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("shows first which rules are out of use, and why", async () => {
    const { page, goTo, close } = await visit(city, { token: city.token });
    // No rule of ours fails, so the answer of the service is changed on its way.
    await page.route("**/api/v1/rules?*", async (route) => {
      const answer = await (await route.fetch()).json();
      const failing = { state: "error", failure: "<i>RangeError</i>: too deep" };
      const items = answer.items.map((rule: { id: string }) =>
        rule.id === "undervoltage" ? { ...rule, ...failing } : rule,
      );
      await route.fulfill({ json: { ...answer, items } });
    });
    await goTo("/rules?kind=energy");
    await page.getByRole("alert").filter({ hasText: "1 rule is out of use" }).waitFor();
    const first = page.locator(".rules-table tbody tr").first();
    await first.getByText("<i>RangeError</i>: too deep").waitFor();
    await expectAccessible(page);
    await shoot(page, "rules-broken");
    await page.getByRole("button", { name: "Show them" }).click();
    await page.getByText(/^1 of \d+ rules$/).waitFor();
    await close();
  });

  it("says what a rule does in plain words, on what ground, how it did and who made it so", async () => {
    const { page, complaints, close } = await open("/rules/eu-no2");
    await page
      .getByText("Critical when the hourly mean of nitrogen dioxide is above 200 µg/m³ in three hours in a row.")
      .waitFor();
    await page.getByRole("link", { name: /Directive \(EU\) 2024\/2881, Annex I, alert threshold/ }).waitFor();
    await page.getByText("1 right, 1 wrong").waitFor();
    await page
      .getByRole("link", { name: /Station <b>air-1<\/b> averaged/ })
      .first()
      .waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("shows of a shadow what it would have said, and its versions", async () => {
    const { page, close } = await open("/rules/noisy");
    await page.getByText("nobody is notified").first().waitFor();
    const said = page.getByRole("region", { name: "What the shadow would have raised" });
    await said
      .getByRole("link", { name: /Station <b>air-1<\/b> averaged 17/ })
      .nth(1)
      .waitFor();
    await page.getByRole("button", { name: "Make it live" }).click();
    await page.getByText("As a shadow it would have raised 2 alerts so far.").waitFor();
    await page.getByText("Notifies", { exact: true }).waitFor();
    await page.locator(".rule-versions").getByText("Backtest: 12 alerts, 1.5 a day").waitFor();
    await page.getByText(/^As of/).click();
    await page.locator(".rule-versions .code").getByText("- id: noisy").waitFor();
    await close();
  });

  it.each([
    [
      "de-DE",
      "Kritisch, wenn das Stundenmittel für Stickstoffdioxid in drei Stunden nacheinander über 200 µg/m³ liegt.",
    ],
    [
      "es-ES",
      "Crítica cuando la media horaria de dióxido de nitrógeno está por encima de 200 µg/m³ en tres horas seguidas.",
    ],
  ])("fits a phone, in %s, too", async (language, sentence) => {
    const { page, goTo, close } = await open("/rules/eu-no2", { size: "phone", touch: true, language });
    await page.getByText(sentence).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(page, `rule-phone-${language}`);
    await goTo("/rules");
    await page.getByText(sentence).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(page, `rules-phone-${language}`);
    await close();
  });

  it("looks well in each theme and can be used by everyone", { tags: ["long"] }, async () => {
    const { page, goTo, close } = await open("/rules?for=operators&sort=perDay&dir=down");
    await page.locator(".rules-table tbody tr").first().waitFor();
    await expectEachTheme(page, "rules");
    await goTo("/rules/noisy");
    await page.locator(".rule-versions li").first().waitFor();
    await page.getByRole("button", { name: "Make it live" }).click();
    await expectEachTheme(page, "rule");
    await goTo("/rules/none");
    await page.getByText("Rule not found").waitFor();
    await close();
  });
});

/** A rule of one's own that runs as a shadow. Made of another than RULE: the service keeps figures for some seconds once asked. */
async function tryShadow({ api }: City): Promise<void> {
  const { id: _, title, kind, severity, audience, source } = await api("/rules/eu-o3");
  const rule = { title, kind, metric: "no2", severity, audience, source };
  const condition = { type: "consecutive", above: 150, count: 1, window: "1h" };
  const noisy = { ...rule, id: "noisy", title: "Nitrogen dioxide, much earlier", mode: "shadow", condition };
  const figures = { alerts: 12, alertsPerDay: 1.5, minutesFiring: 600 };
  await api("/rules/noisy", { rule: noisy, reason: "Do schools hear it in time?", figures }, "PUT");
}

import { describe, expect, it } from "vitest";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { change, RULE, useRuleEditor } from "./rule-history.ts";

describe.runIf(HAS_BROWSER)("the page where a rule is edited", () => {
  const { site, open, openEditor } = useRuleEditor();

  it("looks well in each theme and can be used by everyone", { tags: ["long"] }, async () => {
    const { page, close } = await openEditor(RULE);
    await change(page, "above: 150", "above: high");
    await page.getByText("1 mistake").waitFor();
    await expectEachTheme(page, "rule-edit-mistakes");
    await change(page, "above: high", "above: 140");
    await page.getByText("No mistakes.").waitFor();
    await page.getByRole("button", { name: "Try it" }).click();
    await page.locator(".lanes").waitFor();
    await page.getByText("The alerts as a table").click();
    await page.setViewportSize({ width: 1440, height: 1500 });
    await expectEachTheme(page, "rule-edit");
    await close();
  });

  it("fits a phone, in German; a viewer has no way in", async () => {
    const { page, close } = await openEditor(RULE, { size: "phone", touch: true, language: "de-DE" });
    await change(page, "above: 150", "above: 100", "Die Regel als YAML");
    await page.getByText("Keine Fehler.").waitFor();
    await page.getByRole("button", { name: "Erproben" }).click();
    await page.getByText(/\d hinzugekommen/).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await expectAccessible(page);
    await page.setViewportSize({ width: 390, height: 2_100 });
    await shoot(page, "rule-edit-phone");
    await close();
    const { password } = await site.city.api("/users", { name: "vera", role: "viewer" });
    const viewer = await open(`/rules/${RULE}/edit`, { token: password });
    await viewer.page.getByText("Page not found").waitFor();
    await viewer.goTo(`/rules/${RULE}`);
    await viewer.page.getByText("The last 30 days").waitFor();
    expect(await viewer.page.getByRole("link", { name: "Edit a copy" }).count()).toBe(0);
    await viewer.close();
  });
});

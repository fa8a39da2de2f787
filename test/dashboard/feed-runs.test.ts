import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { closeVisits, expectEachTheme, HAS_BROWSER, shoot, type VisitOptions, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("simulating and recording on the page", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity();
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  const open = async (options: VisitOptions = {}) => {
    const visited = await visit(city, { token: city.token, ...options });
    await visited.goTo("/feed?tab=runs");
    await visited.page.locator("h2").first().waitFor();
    return visited;
  };

  it("records what comes in while a scenario is played, and says how both went", async () => {
    const { page, complaints, close } = await open();
    await page.getByLabel("Name").fill("Take 1");
    await page.getByRole("button", { name: "Record", exact: true }).click();
    await page.locator(".wrong", { hasText: "Lowercase letters" }).waitFor();
    await page.getByLabel("Name").fill("take-1");
    await page.getByRole("button", { name: "Record", exact: true }).click();
    await page.getByText("Recording “take-1”").waitFor();
    await page.getByLabel("What").selectOption({ label: "Broken sensors" });
    await page.getByRole("checkbox", { name: "Hillside" }).check();
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("Last run: Broken sensors").waitFor();
    await page.getByText(/\d+ readings sent: \d+ stored/).waitFor();
    await page.getByText(/It raised \d+ alerts?\./).waitFor();
    expect((await city.api("/sensors")).items[0].district).toBe("sim-hillside");
    await page.getByText(/[1-9][\d,]* readings, [\d.]+ KiB/).waitFor();
    await page.getByRole("button", { name: "Stop recording" }).click();
    const row = page.getByRole("row", { name: /take-1/ });
    await row.waitFor();
    const download = page.waitForEvent("download");
    await row.getByRole("link", { name: "Download" }).click();
    const text = await readFile(await (await download).path(), "utf8");
    expect(JSON.parse(text.split("\n")[0]!)).toMatchObject({ district: "sim-hillside" });
    expect(complaints).toEqual([]);
    await close();
  });

  it("plays a recording, shows how far it is, and stops it", async () => {
    const { page, close } = await open();
    await page
      .getByRole("row", { name: /take-1/ })
      .getByRole("button", { name: "Replay" })
      .click();
    await page.getByLabel("Speed").selectOption("1");
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.getByText("Running: take-1").waitFor();
    await page.getByText(/Sending · [\d,]+ of [\d,]+ readings/).waitFor();
    await shoot(page, "feed-runs-running");
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByText("Last run: take-1").waitFor();
    await page.getByText("Stopped", { exact: true }).waitFor();
    await close();
  });

  it("lets operators record but not simulate, and viewers neither", async () => {
    const tokenOf = async (role: string) =>
      JSON.parse((await city.cli("user", "add", `a-${role}`, "--role", role, "--json")).stdout).password;
    const operator = await open({ token: await tokenOf("operator") });
    await operator.page.getByText("Only admins can start scenarios and replays.").waitFor();
    expect(await operator.page.getByRole("button", { name: "Record", exact: true }).count()).toBe(1);
    await operator.close();
    const viewer = await open({ token: await tokenOf("viewer") });
    await viewer.page.getByText("Only operators and admins can record.").waitFor();
    expect(await viewer.page.getByRole("button", { name: "Delete" }).count()).toBe(0);
    await viewer.close();
  });

  it("can be used by everyone in each theme", { tags: ["long"] }, async () => {
    const { page, close } = await open();
    await page.getByRole("row", { name: /take-1/ }).waitFor();
    await expectEachTheme(page, "feed-runs");
    await close();
  });

  it("fits a phone, in Spanish; deleting a recording asks first", async () => {
    const { page, close } = await open({ size: "phone", touch: true, language: "es-ES" });
    const row = page.getByRole("row", { name: /take-1/ });
    await row.getByRole("button", { name: "Borrar" }).click();
    await row.getByText("¿Borrar «take-1» para siempre?").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(page, "feed-runs-phone");
    await row.getByRole("button", { name: "Borrar" }).click();
    await page.getByText("Todavía no hay grabaciones.").waitFor();
    await vi.waitFor(async () => expect((await city.api("/recordings")).items).toEqual([]), 30_000);
    await close();
  });
});

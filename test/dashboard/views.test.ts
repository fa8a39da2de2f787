import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { alarm } from "./alarms.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { useSite } from "./site.ts";

describe.runIf(HAS_BROWSER)("what people keep for themselves and for each other", () => {
  const site = useSite(prepare);

  it("saves the filters of the desk, opens them again, and gives a link that shows the same to others", async () => {
    const { page, context, goTo, complaints, close } = await site.visit();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await goTo("/?severity=critical&district=centre");
    await page.getByRole("button", { name: "Saved filters" }).click();
    const dialog = page.getByRole("dialog", { name: "Saved filters" });
    await dialog.getByLabel("Name").fill("Nights");
    await dialog.getByRole("button", { name: "Save", exact: true }).click();
    await dialog.getByRole("link", { name: /Nights/ }).waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Copy link: Nights" }).click();
    await dialog.getByText("Link copied.").waitFor({ state: "attached" });
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toBe(`${site.city.http}/?severity=critical&district=centre`);
    await goTo("/report");
    await goTo("/");
    await page.getByRole("button", { name: "Saved filters" }).click();
    await dialog.getByRole("link", { name: /Nights/ }).click();
    expect(new URL(page.url()).search).toBe("?severity=critical&district=centre");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Saved filters" }).click();
    await dialog.getByRole("button", { name: "Remove: Nights" }).click();
    await dialog.getByText("Nothing saved yet").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("lists the sensors in groups by tag, those one follows first, and remembers them for the account", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/sensors?group=tag:owner");
    const parks = page.getByRole("region", { name: "parks" });
    await parks.getByRole("row", { name: /air-b/ }).waitFor();
    expect(await page.getByRole("heading", { level: 2 }).allTextContents()).toEqual([
      "parks 2 sensors",
      "not set 1 sensor, 1 with open alerts",
    ]);
    expect(await parks.getByRole("row").nth(1).textContent()).toContain("air-a");
    const star = page.getByRole("button", { name: "Follow air-b" });
    await star.click();
    expect(await star.getAttribute("aria-pressed")).toBe("true");
    expect(await parks.getByRole("row").nth(1).textContent()).toContain("air-b");
    await expect.poll(() => site.city.api("/favourites")).toEqual({ items: ["air-b"] });
    await page.reload();
    await page.getByLabel("Only those I follow").check();
    await expect.poll(() => page.locator("tbody tr").count()).toBe(1);
    expect(new URL(page.url()).search).toBe("?group=tag%3Aowner&followed=yes");
    await page.getByLabel("Only those I follow").uncheck();
    await page.getByLabel("Only with open alerts").check();
    await page.getByRole("row", { name: /air-low/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("hands notes over: the next shift sees at once how many it has not read, and the report has them", async () => {
    const { username, password } = await site.city.api("/users", { name: "kim", role: "operator" });
    expect(username).toBe("kim");
    const kim = await site.visit({ token: password });
    await kim.goTo("/");
    await kim.page.getByRole("button", { name: "Handover" }).waitFor();
    await kim.page.getByText("Live", { exact: true }).waitFor();
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/");
    await page.getByRole("button", { name: "Handover" }).click();
    const dialog = page.getByRole("dialog", { name: "Handover" });
    await dialog.getByRole("textbox").fill("The gate at pole 12 is open.\n<b>Key</b> with the porter.");
    await dialog.getByRole("button", { name: "Leave note" }).click();
    await dialog.getByText("<b>Key</b> with the porter.").waitFor();
    expect(await dialog.getByRole("button", { name: "Seen" }).count()).toBe(0);
    // The stream tells kim.
    await kim.page.getByRole("button", { name: /Handover 1 not read/ }).click();
    const theirs = kim.page.getByRole("dialog", { name: "Handover" });
    await theirs.getByRole("button", { name: "Seen" }).click();
    await theirs.getByText("Seen by kim").waitFor();
    await expectAccessible(kim.page);
    await dialog.getByText("Seen by kim").waitFor();
    await goTo("/report?hours=8");
    const section = page.locator("section", { has: page.getByRole("heading", { name: "Handover" }) });
    await section.getByText("Seen by kim").waitFor();
    expect(complaints).toEqual([]);
    await kim.close();
    await close();
  });

  it("shows the city on a wall by a token of its own, live, says loudly when it is not, and goes dark when revoked", async () => {
    const admin = await site.visit();
    await admin.goTo("/admin?tab=walls");
    await admin.page.getByRole("button", { name: "Add a display" }).click();
    await admin.page.getByLabel("Id").fill("hall");
    await admin.page.getByLabel("Name").fill("The hall");
    await admin.page.getByRole("button", { name: "Add", exact: true }).click();
    const address = await admin.page.getByLabel("Address", { exact: true }).inputValue();
    expect(address).toMatch(new RegExp(`^${site.city.http}/wall#[\\w-]{20,}$`));

    const wall = await site.visit({ token: "" });
    await wall.page.goto(address);
    await wall.page.getByRole("heading", { name: "The hall" }).waitFor();
    await wall.page.getByText("Battery nearly empty").first().waitFor();
    await wall.page.getByText("Live", { exact: true }).waitFor();
    expect(await wall.page.locator("button, a, input").count()).toBe(0);
    await alarm(site.city, "air-new", 5);
    await wall.page.locator(".wall-counts .critical dd", { hasText: "2" }).waitFor();
    await expectEachTheme(wall.page, "wall");
    await wall.context.setOffline(true);
    await wall.page.getByRole("alert").filter({ hasText: "may be out of date" }).waitFor();
    await wall.page.getByText("Not live").waitFor();
    await shoot(wall.page, "wall-not-live");
    await wall.context.setOffline(false);
    await wall.page.getByText("Live", { exact: true }).waitFor();

    await admin.page.getByRole("button", { name: "I have saved it" }).click();
    await admin.page.getByRole("button", { name: "Revoke: The hall" }).click();
    await admin.page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await wall.page.getByRole("heading", { name: "This display has been revoked" }).waitFor();
    expect(admin.complaints).toEqual([]);
    await wall.close();
    await admin.close();
  });

  it("looks well in each theme and on a phone, in three languages", { tags: ["long"] }, async () => {
    const { page, goTo, close } = await site.visit();
    await goTo("/sensors");
    await page.getByRole("row", { name: /air-b/ }).waitFor();
    await expectEachTheme(page, "sensors");
    await goTo("/");
    await page.getByRole("button", { name: /Handover/ }).click();
    await page.getByRole("dialog").getByText("Note for the next shift").waitFor();
    await expectEachTheme(page, "handover");
    await close();
    for (const [language, title] of [
      ["de", "Sensoren"],
      ["es", "Sensores"],
    ] as const) {
      const phone = await site.visit({ size: "phone", touch: true, language });
      await phone.goTo("/sensors");
      await phone.page.getByRole("heading", { name: title, exact: true }).waitFor();
      await phone.page.getByRole("row").nth(1).waitFor();
      const tooWide = () => phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(await tooWide()).toBeLessThanOrEqual(0);
      await shoot(phone.page, `sensors-phone-${language}`);
      await phone.goTo("/");
      await phone.page.locator(".row").first().waitFor();
      expect(await tooWide()).toBeLessThanOrEqual(0);
      await shoot(phone.page, `desk-extras-phone-${language}`);
      await phone.goTo("/wall");
      await phone.page.locator(".wall-alerts li").first().waitFor();
      expect(await tooWide()).toBeLessThanOrEqual(0);
      await shoot(phone.page, `wall-phone-${language}`);
      await phone.close();
    }
  });
});

async function prepare(city: City): Promise<void> {
  for (const id of ["air-a", "air-b"])
    await city.api("/devices", { sensorId: id, kind: "air", district: "centre", tags: { owner: "parks" } });
  await alarm(city, "air-low", 5);
  const raised = async () => (await city.api("/alerts?rule=battery-level")).items[0]?.level === 2;
  await vi.waitFor(async () => expect(await raised()).toBe(true), { timeout: 30_000, interval: 50 });
}

import { describe, expect, it, vi } from "vitest";
import { alarm } from "./alarms.ts";
import { expectAccessible, HAS_BROWSER, shoot } from "./browser.ts";
import { addUser } from "./crews.ts";
import { useSite } from "./site.ts";

describe.runIf(HAS_BROWSER)("giving work", () => {
  let anna: string;
  const site = useSite(async (city) => {
    anna = await addUser(city, "anna", "crew");
    await alarm(city, "air-1", 5, "Market Square");
    await vi.waitFor(async () => expect(await alertId()).toBeDefined(), { timeout: 30_000 });
  });
  const alertId = async () => (await site.city.api("/alerts?rule=battery-level")).items[0]?.id as string | undefined;

  it("makes a crew of people there are, from pick-lists", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/admin?tab=users");
    await page.getByRole("button", { name: "Add crew" }).click();
    const form = page.getByRole("form", { name: "Add crew" });
    await form.getByLabel("Name").fill("night-shift");
    await form.getByLabel("anna").check();
    await form.getByLabel("Centre").check();
    await expectAccessible(page);
    await shoot(page, "crew-form");
    await form.getByRole("button", { name: "Add" }).click();
    await page
      .getByRole("region", { name: "Crews" })
      .getByRole("row", { name: /night-shift.*anna.*Centre/ })
      .waitFor();
    expect(await site.city.api("/crews")).toMatchObject({ items: [{ id: "night-shift", districts: ["centre"] }] });
    expect(complaints).toEqual([]);
    await close();
  });

  it("hands an alert to a crew in four presses; its members find it with the note, and begin", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/");
    await page.getByRole("link", { name: "Battery nearly empty" }).click();
    await page.getByRole("button", { name: "Assign", exact: true }).click();
    const form = page.locator(".actions form");
    const groups = await form.locator("optgroup").evaluateAll((all) => all.map((one) => one.getAttribute("label")));
    expect(groups).toEqual(["Crews for this place", "People"]);
    await form.getByLabel("Assign to").selectOption("night-shift");
    await form.getByLabel("Note").fill("Bring a ladder: it hangs high");
    await shoot(page, "assign");
    await form.getByRole("button", { name: "Assign" }).click();
    await form.waitFor({ state: "detached" });
    const handed = await site.city.api(`/alerts/${await alertId()}`);
    expect([handed.handling, handed.assignee]).toEqual(["acknowledged", "night-shift"]);
    expect(complaints).toEqual([]);
    await close();

    const phone = await site.visit({ token: anna, size: "phone", touch: true });
    await phone.goTo("/");
    // Who works outside lands on what there is to do.
    await phone.page.waitForURL(/\/crew$/);
    await phone.page.getByRole("heading", { name: "Yours" }).waitFor();
    await phone.page.getByText("Bring a ladder: it hangs high").waitFor();
    await shoot(phone.page, "assign-phone");
    await expectAccessible(phone.page);
    await phone.page.getByRole("button", { name: /Take it/ }).tap();
    await phone.page.getByText("Handled by you").waitFor();
    await expect.poll(async () => (await site.city.api(`/alerts/${await alertId()}`)).assignee).toBe("anna");
    await phone.page.getByLabel("Nearest").check();
    await phone.page.reload();
    await expect.poll(() => phone.page.getByLabel("Nearest").isChecked()).toBe(true);
    await phone.close();
  });
});

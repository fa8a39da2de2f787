import { describe, expect, it, vi } from "vitest";
import { alarm } from "./alarms.ts";
import { HAS_BROWSER } from "./browser.ts";
import { addUser, card, deedsOn } from "./crews.ts";
import { expectPromised } from "./jobs.ts";
import { countPresses } from "./presses.ts";
import { useSite } from "./site.ts";

describe.runIf(HAS_BROWSER)("jobs in few presses", () => {
  let anna: string;
  const site = useSite(async (city) => {
    anna = await addUser(city, "anna", "crew");
    await alarm(city, "air-1", 5, "Market Square");
    await city.api("/crews/night-shift", { members: ["anna"], districts: ["centre"] }, "PUT");
    await vi.waitFor(async () => expect((await city.api("/crew")).alerts).toHaveLength(1), { timeout: 30_000 });
  });

  it("acknowledges an alert and hands it to a crew", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/");
    const presses = await countPresses(page);
    await page.getByRole("link", { name: "Battery nearly empty" }).click();
    await page.getByRole("button", { name: "Assign", exact: true }).click();
    const form = page.locator(".actions form");
    await form.getByLabel("Assign to").selectOption("night-shift");
    await form.getByRole("button", { name: "Assign" }).click();
    await form.waitFor({ state: "detached" });
    const { items } = await site.city.api("/alerts?sensor=air-1&rule=battery-level");
    expect([items[0].handling, items[0].assignee]).toEqual(["acknowledged", "night-shift"]);
    expectPromised("acknowledge an alert and hand it to a crew", presses.count());
    expect(complaints).toEqual([]);
    await close();
  });

  it("finishes a task without a connection", async () => {
    const { page, context, goTo, close } = await site.visit({ token: anna, size: "phone", touch: true });
    await goTo("/crew");
    await page.locator(".crew-fresh.here").waitFor();
    await context.setOffline(true);
    const presses = await countPresses(page);
    await card(page, "Market Square").getByRole("button", { name: "Done" }).tap();
    await page.getByLabel("Note").pressSequentially("New battery");
    await card(page, "Market Square").locator("form").getByRole("button", { name: "Done" }).tap();
    await page.getByRole("heading", { name: "1 action waiting to be sent" }).waitFor();
    const counted = presses.count();
    await context.setOffline(false);
    await expect.poll(() => deedsOn(site.city, "air-1", "closed")).toEqual(["anna: New battery"]);
    expectPromised("finish a task without a connection", counted);
    await close();
  });

  it("prints the report of the shift", async () => {
    const { page, goTo, close } = await site.visit();
    await page.addInitScript(() => {
      window.print = () => void document.documentElement.setAttribute("data-printed", "");
    });
    await goTo("/");
    const presses = await countPresses(page);
    await page.getByRole("link", { name: "Report" }).click();
    await page.getByRole("button", { name: "Print" }).click();
    await page.locator("html[data-printed]").waitFor();
    expectPromised("print the report of the shift", presses.count());
    await close();
  });
});

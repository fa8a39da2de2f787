import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { expectAccessible, HAS_BROWSER, openBrowser, shoot, type Theme, type VisitOptions, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("the crews' list", () => {
  let city: City;
  let browser: Browser;
  let anna: string;
  let ben: string;
  beforeAll(async () => {
    city = await startCity();
    [anna, ben] = await Promise.all(["anna", "ben"].map((name) => addUser(city, name, "crew")));
    await fillCity(city);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await city?.remove();
  });

  const open = async (options: VisitOptions = {}) => {
    const visited = await visit(browser, city, { token: anna, size: "phone", touch: true, ...options });
    await visited.goTo("/crew");
    await visited.page.locator(".crew-fresh.here").waitFor();
    return visited;
  };

  it("orders places by urgency, brings what is at one place together, and says what to do", async () => {
    const { page, complaints, close } = await open();
    const names = await page.locator(".crew-card h3").allTextContents();
    expect(names).toEqual(["Harbour <b>quay</b>", "Market Square", "Old mill", "Zoo gate"]);
    const market = card(page, "Market Square");
    expect(await market.locator(".crew-warning").count()).toBe(2);
    await market.getByText("Put the battery on the next route.").waitFor();
    await market.getByText("Check ventilation and shade.").waitFor();
    expect(await market.getByRole("link", { name: "Open in the map" }).getAttribute("href")).toBe(
      "geo:52.6,11.01?q=52.6,11.01(Market%20Square)",
    );
    expect(complaints).toEqual([]);
    await close();
  });

  it.each(["light", "dark", "contrast"] satisfies Theme[])("looks well in %s and can be used by everyone", async (theme) => {
    const { page, close } = await open({ theme });
    await card(page, "Market Square").getByRole("button", { name: "Done" }).click();
    await expectAccessible(page);
    await shoot(page, `crew-${theme}`);
    await close();
  });
});

const card = (page: Page, name: string) => page.locator(".crew-card", { hasText: name });

async function addUser(city: City, name: string, role: string): Promise<string> {
  return (await city.api("/users", { name, role })).password;
}

/** A critical place, a place with two troubles, and one in a district of its own. */
async function fillCity(city: City): Promise<void> {
  await addSensor(city, "air-1", "Market Square", { lat: 52.6, lon: 11.01 });
  await addSensor(city, "air-2", "Market Square roof", { lat: 52.6, lon: 11.01 });
  await addSensor(city, "air-3", "Harbour <b>quay</b>", { lat: 52.62, lon: 11.03 });
  await addSensor(city, "air-4", "Zoo gate", { lat: 52.59, lon: 11.05 }, "south");
  await addSensor(city, "air-5", "Old mill", { lat: 52.64, lon: 11.0 });
  await city.api("/readings", [
    { sensorId: "air-1", kind: "air", district: "centre", battery: 15 },
    { sensorId: "air-2", kind: "air", district: "centre", battery: 14 },
    { sensorId: "air-3", kind: "air", district: "centre", battery: 5 },
    { sensorId: "air-4", kind: "air", district: "south", battery: 12 },
    { sensorId: "air-5", kind: "air", district: "centre", battery: 13 },
  ]);
  await vi.waitFor(async () => expect((await city.api("/crew")).alerts).toHaveLength(5), { timeout: 10_000 });
}

function addSensor(city: City, sensorId: string, name: string, at: { lat: number; lon: number }, district = "centre") {
  return city.api("/devices", { sensorId, kind: "air", district, name, ...at });
}

import mqtt from "mqtt";
import type { Page } from "playwright-core";
import { afterEach, describe, expect, it } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot, type Visit, type VisitOptions } from "./browser.ts";
import { expectPromised } from "./jobs.ts";
import { countPresses } from "./presses.ts";
import { useSite } from "./site.ts";

const passwords = new Map<string, string>();

async function prepare(city: City): Promise<void> {
  for (const [sensorId, lat] of [
    ["air-1", 52.5],
    ["air-2", 52.501],
    ["air-3", 60],
  ] as const) {
    const device = { sensorId, kind: "air", district: "north", lat, lon: 13.4 };
    passwords.set(sensorId, (await city.api("/devices", device)).password);
  }
  await city.api("/devices", { sensorId: "meter-1", kind: "energy", district: "old-town" });
  await city.api("/gateways", { name: "gw-1", districts: ["north", "harbour"] });
  passwords.set("olga", (await city.api("/users", { name: "olga", role: "viewer" })).password);
}

let clients = 0;
/** Signs in over MQTT and stays; rejects where the password is not taken. */
const connected = (city: City, name: string, password: string) =>
  mqtt.connectAsync(
    city.mqtt,
    { username: name, password, clientId: `${name}-${clients++}`, reconnectPeriod: 0 },
    false,
  );

describe.runIf(HAS_BROWSER)("editing", () => {
  const site = useSite(prepare);
  const visits: Visit[] = [];
  afterEach(async () => {
    const left = visits.splice(0);
    await Promise.all(left.map((one) => one.close()));
    expect(left.flatMap((one) => one.complaints).filter((one) => !/40[09]/.test(one))).toEqual([]);
  });

  async function open(tab: string, options: VisitOptions = {}): Promise<Page> {
    const opened = await site.visit(options);
    visits.push(opened);
    await opened.goTo(`/admin?tab=${tab}`);
    await opened.page.locator("table tbody tr").first().waitFor();
    return opened.page;
  }
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
  const confirm = (page: Page, name: string) =>
    page.getByRole("dialog").getByRole("button", { name, exact: true }).click();

  it("changes all of a sensor: place typed and on the map, district and gateway from lists, what is refused beside its field", async () => {
    const page = await open("sensors");
    await button(page, "Change: air-1").click();
    const form = page.getByRole("form", { name: "Change air-1" });
    await form.getByLabel("Display name").fill("Market Square");
    await form.getByLabel("Latitude").fill("520");
    await form.getByRole("button", { name: "Save" }).click();
    await form.locator(".field", { hasText: "Latitude" }).locator(".wrong").waitFor();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("name"))).toBe("lat");
    await form.getByLabel("Latitude").fill("52.5");
    await form.locator(".leaflet-container").waitFor();
    await form.locator(".place-pin").waitFor();
    await form.locator(".leaflet-container").click({ position: { x: 60, y: 60 } });
    await expect.poll(() => form.getByLabel("Latitude").inputValue()).not.toBe("52.5");
    const lat = Number(await form.getByLabel("Latitude").inputValue());
    expect(await form.getByLabel("Latitude").inputValue()).toMatch(/^52\.50?\d*$/);
    await form.getByLabel("District").selectOption({ label: "Old town" });
    await form.getByLabel("Gateway").selectOption("gw-1");
    await form.getByLabel("Takes the place of").fill("nobody-9");
    await form.getByRole("button", { name: "Save" }).click();
    await form.locator(".field", { hasText: "Takes the place of" }).locator(".wrong").waitFor();
    await form.getByLabel("Takes the place of").fill("");
    await expectEachTheme(page, "editing-sensor");
    await form.getByRole("button", { name: "Save" }).click();
    await form.waitFor({ state: "detached" });
    await page.getByText("air-1 publishes to city/old-town/air/air-1 from now on").waitFor();
    expect(await site.city.api("/sensors/air-1")).toMatchObject({
      name: "Market Square",
      district: "old-town",
      gateway: "gw-1",
      lat,
    });
    await page.getByRole("row", { name: /air-1 Market Square.*Old town/ }).waitFor();
    await shoot(page, "editing-sensor-saved");
  });

  it("removes a sensor, and has it back with its password", async () => {
    const page = await open("sensors");
    await button(page, "Remove: air-2").click();
    await page.getByRole("dialog").getByText("This can be undone for 24 hours.").waitFor();
    await confirm(page, "Remove");
    await expect.poll(() => page.getByRole("row", { name: /air-2/ }).count()).toBe(0);
    await expect(connected(site.city, "air-2", passwords.get("air-2")!)).rejects.toThrow();
    const removed = page.getByRole("region", { name: "Removed in the last 24 hours" });
    await removed.getByText("Sensor air-2 removed by admin").waitFor();
    await expectEachTheme(page, "editing-removed");
    await removed.getByRole("button", { name: "Undo: air-2" }).click();
    await page.getByRole("row", { name: /air-2/ }).waitFor();
    await removed.waitFor({ state: "detached" });
    await (await connected(site.city, "air-2", passwords.get("air-2")!)).endAsync();
  });

  it("rotates a device's password with an overlap: three presses", async () => {
    const page = await open("sensors");
    const presses = await countPresses(page);
    await button(page, "New password: air-3").click();
    await expectAccessible(page);
    await shoot(page, "editing-rotate");
    await confirm(page, "New password");
    await page.getByRole("heading", { name: "air-3 has a new password" }).waitFor();
    const password = await page.getByLabel("Password", { exact: true }).inputValue();
    await shoot(page, "editing-rotated");
    await page.getByRole("button", { name: "I have saved it" }).click();
    expectPromised("rotate a device's password", presses.count());
    expect(await page.content()).not.toContain(password);
    await page.getByRole("row", { name: /air-3.*new password not used yet/ }).waitFor();

    const before = await connected(site.city, "air-3", passwords.get("air-3")!);
    const cutOff = new Promise((resolve) => before.once("close", () => resolve("cut off")));
    const after = await connected(site.city, "air-3", password);
    expect(await cutOff).toBe("cut off");
    await expect(connected(site.city, "air-3", passwords.get("air-3")!)).rejects.toThrow();
    expect(after.connected).toBe(true);
    await after.endAsync();
    await page.reload();
    await page.getByRole("row", { name: /air-3/ }).waitFor();
    expect(await page.getByText("new password not used yet").count()).toBe(0);
  });

  it("gives a user another role, name and password, signs them out, removes them and has them back", async () => {
    const theirs = await site.visit({ token: passwords.get("olga")! });
    visits.push(theirs);
    await theirs.goTo("/account");
    await theirs.page.getByRole("heading", { level: 1 }).waitFor();
    const page = await open("users");
    await button(page, "Change: olga").click();
    await page.getByLabel("Name", { exact: true }).fill("Olga Olsen");
    await page.getByLabel("Role").selectOption("operator");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /olga Olga Olsen.*operator.*signed in once/ }).waitFor();
    await expectEachTheme(page, "editing-users");
    expect(await button(page, "Remove: admin").count()).toBe(0);
    await button(page, "Change: admin").click();
    expect(await page.getByLabel("Role").count()).toBe(0);
    await page.keyboard.press("Escape");

    await button(page, "Sign out: olga").click();
    await confirm(page, "Sign out");
    await page.getByText("olga is signed out everywhere.").waitFor();
    await theirs.goTo("/admin");
    await theirs.page.getByLabel("Password").first().waitFor();

    await button(page, "Reset password: olga").click();
    await confirm(page, "Reset password");
    await page.getByRole("heading", { name: "olga has a new password" }).waitFor();
    const password = await page.getByLabel("Password", { exact: true }).inputValue();
    await page.getByRole("button", { name: "I have saved it" }).click();
    const ask = (token: string) =>
      fetch(`${site.city.http}/api/v1/devices`, { headers: { authorization: `Bearer ${token}` } });
    expect((await ask(passwords.get("olga")!)).status).toBe(401);
    expect((await ask(password)).status).toBe(200);

    await button(page, "Remove: olga").click();
    await confirm(page, "Remove");
    await button(page, "Undo: olga").click();
    await page.getByRole("row", { name: /olga Olga Olsen.*operator/ }).waitFor();
    expect((await ask(password)).status).toBe(200);
    const { items } = await site.city.api("/audit?limit=10");
    const done = items
      .filter((one: { target: string }) => one.target === "olga")
      .map((one: { what: string }) => one.what);
    expect(done).toEqual(["user.undo-remove", "user.remove", "user.reset", "user.sign-out", "user.change"]);
  });

  it("changes what a gateway may", async () => {
    const page = await open("sensors");
    await button(page, "Change: gw-1").click();
    const form = page.getByRole("form", { name: "Change gw-1" });
    expect(await form.getByLabel("Other districts").inputValue()).toBe("harbour");
    await form.getByLabel("Old town").check();
    await form.getByLabel("May import history").check();
    await shoot(page, "editing-gateway");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /gw-1 North, Old town, Harbour May import history/ }).waitFor();
  });

  it("names a district and takes its outline from a file, checked, with a choice among its parts", async () => {
    const page = await open("districts");
    await button(page, "Edit: north").click();
    const form = page.getByRole("form", { name: "Edit North" });
    await form.getByLabel("Name").fill("The North");
    await form.getByLabel("GeoJSON").fill("not JSON");
    await form.getByRole("button", { name: "Save" }).click();
    await form.getByText("This is not JSON.").waitFor();
    const square = (lon: number, lat: number) => [
      [lon, lat],
      [lon + 1, lat],
      [lon + 1, lat + 1],
      [lon, lat + 1],
      [lon, lat],
    ];
    const feature = (name: string, ring: number[][]) => ({
      type: "Feature",
      properties: { name },
      geometry: { type: "Polygon", coordinates: [ring] },
    });
    await form.getByLabel("GeoJSON").fill(JSON.stringify(feature("x", square(52, 130))));
    await form.getByRole("button", { name: "Save" }).click();
    await form.locator(".field", { hasText: "GeoJSON" }).getByText("degrees, the longitude first").waitFor();
    const features = [feature("South", square(0, 0)), feature("North", square(13, 52))];
    await form.getByLabel("From a file").setInputFiles({
      name: "districts.geojson",
      mimeType: "application/geo+json",
      buffer: Buffer.from(JSON.stringify({ type: "FeatureCollection", features })),
    });
    await form.getByLabel("Which part of the file").selectOption({ label: "North" });
    await form.getByRole("img", { name: "Outline" }).waitFor();
    await expectEachTheme(page, "editing-district");
    await form.getByRole("button", { name: "Save" }).click();
    await page.getByText("Outside: air-3.").waitFor();
    await page.getByRole("row", { name: /north The North.*drawn/ }).waitFor();
    const { items } = await site.city.api("/districts?outlines=true");
    expect(items.find((one: { district: string }) => one.district === "north")).toMatchObject({
      name: "The North",
      outline: { type: "Polygon", coordinates: [square(13, 52)] },
    });
    // Everywhere it is called so, and a new name leaves the outline.
    await page.goto("/sensors/air-2");
    await page.getByText("The North").waitFor();
    await page.goto("/admin?tab=districts");
    await button(page, "Edit: north").click();
    await page.getByLabel("Name", { exact: true }).fill("Northside");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: /north Northside.*drawn/ }).waitFor();
    await button(page, "Remove: north").click();
    await confirm(page, "Remove");
    await page.getByRole("row", { name: /north North .*none/ }).waitFor();
    await button(page, "Undo: north").click();
    await page.getByRole("row", { name: /north Northside.*drawn/ }).waitFor();
  });

  it("goes by keyboard alone: edits, saves, and the focus comes back", async () => {
    const page = await open("districts");
    await button(page, "Edit: old-town").focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("name"))).toBe("name");
    await page.keyboard.type("Altstadt");
    await page.keyboard.press("Enter");
    await page.getByRole("row", { name: /old-town Altstadt/ }).waitFor();
  });

  it("fits a phone in each language", async () => {
    for (const language of ["en-GB", "de-DE", "es-ES"]) {
      const page = await open("users", { size: "phone", touch: true, language });
      for (const tab of ["users", "sensors", "districts"]) {
        await page.goto(`/admin?tab=${tab}`);
        await page.locator(".row-buttons .button").first().tap();
        await page.locator("form").first().waitFor();
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        await shoot(page, `editing-${tab}-${language}-phone`);
      }
    }
  });
});

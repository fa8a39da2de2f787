import { describe, expect, it, vi } from "vitest";
import type { City } from "../helpers/city.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot, type VisitOptions } from "./browser.ts";
import { useSite } from "./site.ts";

const MINUTE_MS = 60_000;

describe.runIf(HAS_BROWSER)("the page of one sensor", () => {
  const site = useSite(sendDay);

  const open = async (options: VisitOptions = {}) => {
    const visited = await site.visit(options);
    await visited.goTo("/sensors/air-1");
    await visited.page.locator(".chart-box[data-ready]").waitFor();
    return visited;
  };

  it("shows the latest values with their quality, the device's health, and which rules watch it", async () => {
    const { page, complaints, close } = await open();
    await page.getByRole("heading", { name: "Station <i>North</i>" }).waitFor();
    const values = page.locator(".values > div");
    expect(await values.filter({ hasText: "fine particles" }).textContent()).toContain("510 µg/m³implausible");
    expect(await values.filter({ hasText: "battery" }).first().textContent()).toContain("81 %");
    await page.getByText(/rules watch it/).click();
    await page.getByRole("link", { name: "Battery low" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("draws the history with its gap and what is implausible, compares, and zooms into what is drawn across", async () => {
    const { page, close } = await open();
    await page.locator(".chart-key", { hasText: "No data" }).waitFor();
    await page.locator(".chart-key", { hasText: "Implausible values" }).waitFor();
    await page.getByLabel("Show neighbours").check();
    await page.locator(".chart-key", { hasText: "air-2" }).waitFor();
    // The chart is drawn anew for another line: what was found may be gone when it is measured.
    await expect.poll(() => page.locator(".u-over").boundingBox()).not.toBeNull();
    const box = (await page.locator(".u-over").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.6, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/);
    await page.getByRole("button", { name: "7 days" }).click();
    await page.waitForURL(/span=7d/);
    await page.getByText("The values as a table").click();
    await page.locator(".chart-table tbody tr").nth(3).waitFor();
    await page.getByRole("combobox", { name: "Value" }).selectOption("no2");
    await page.waitForURL(/metric=no2/);
    await close();
  });

  it("lets operators change it and move it, and says what is left to do and what is refused", async () => {
    const { page, goTo, complaints, close } = await open();
    const wrong = { sensorId: "air-2", kind: "air", district: "north", measuredAt: "yesterday", pm25: 1 };
    await site.city.api("/readings", [wrong, { ...wrong, measuredAt: undefined }]);
    await goTo("/sensors/air-2");
    await page.getByRole("heading", { name: "Messages arrive and are refused" }).waitFor();
    await page.getByText("Unreadable time").waitFor();
    await shoot(page, "sensor-refused");
    await page.getByRole("button", { name: "Change details" }).click();
    await page.getByLabel("Display name").fill("Quay");
    await page.getByLabel("Latitude").fill("95");
    await page.getByLabel("District", { exact: true }).selectOption({ label: "A new district …" });
    await page.getByLabel("Id of the new district").fill("harbour");
    await page.getByLabel("Tags").fill("altitude=2240");
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(".wrong").first().waitFor();
    await page.getByLabel("Latitude").fill("40.41");
    await shoot(page, "sensor-change");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Quay" }).waitFor();
    await page.getByText("publishes to city/harbour/air/air-2 from now on").waitFor();
    await page.getByRole("heading", { name: "History of the device" }).waitFor();
    await page.getByText("altitude: 2240").waitFor();
    const { places } = await site.city.api("/sensors/air-2");
    expect(places.map(({ district }: { district: string }) => district)).toEqual(["north", "harbour"]);
    expect(complaints.filter((one) => !one.includes("400"))).toEqual([]);
    await close();
  });

  it("takes it off the register for a successor, whose chart goes on with it", async () => {
    const { page, goTo, close } = await open();
    await site.city.api("/devices", { sensorId: "air-3", kind: "air", district: "north" });
    await site.city.api("/readings", { sensorId: "air-3", kind: "air", district: "north", pm25: 20, no2: 30 });
    await goTo("/sensors/air-3");
    await page.getByRole("button", { name: "Change details" }).click();
    await page.getByLabel("Takes the place of").fill("air-1");
    await page
      .getByLabel("Since", { exact: true })
      .fill(new Date(Date.now() - 5 * 3_600_000).toISOString().slice(0, 16));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Took the place of").waitFor();
    await page.locator(".chart-key", { hasText: "Replaced here" }).waitFor();
    await expectEachTheme(page, "sensor-replaced");
    await goTo("/sensors/air-1");
    await page.getByText("This sensor is off the register").waitFor();
    await shoot(page, "sensor-retired");
    await page.getByRole("button", { name: "Put it back" }).click();
    await page.getByRole("button", { name: "Take off the register" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take off the register" }).click();
    await page.getByText("This sensor is off the register").waitFor();
    await site.city.api("/sensors/air-1/restore", {});
    await close();
  });

  it("corrects readings after a look at what would change, shows them in the chart, and takes it back", async () => {
    const { page, complaints, close } = await open();
    await page.getByRole("button", { name: "Correct readings" }).click();
    const form = page.getByRole("form", { name: "Correct readings" });
    await form.getByLabel("What was wrong").selectOption("invalid");
    // In the zone of the city, whatever the browser's is.
    await form.getByLabel("From", { exact: true }).fill(await site.city.api("/session").then(localOf(-3 * 60)));
    await form.getByLabel("To", { exact: true }).fill(await site.city.api("/session").then(localOf(-60)));
    await form.getByLabel("Value", { exact: true }).selectOption("no2");
    await form.getByLabel("Reason").fill("the inlet was covered");
    await form.getByRole("button", { name: "Preview" }).click();
    const preview = page.getByRole("status", { name: "Preview" });
    await preview.getByText(/1[123] readings would be read differently, no alert rests on them/).waitFor();
    await preview.getByRole("region", { name: "Examples" }).getByText("left out").first().waitFor();
    await shoot(page, "sensor-correction-preview");
    expect((await site.city.api("/sensors/air-1/corrections")).items).toEqual([]);
    // What is typed after the look is looked at again.
    await form.getByLabel("Reason").fill("the inlet was covered by leaves");
    await preview.waitFor({ state: "detached" });
    await form.getByRole("button", { name: "Preview" }).click();
    await preview.getByRole("button", { name: "Save correction" }).click();
    await page.getByText("the inlet was covered by leaves").waitFor();
    await page.getByRole("combobox", { name: "Value" }).selectOption("no2");
    await page.locator(".chart-key", { hasText: "Marked invalid, not used" }).waitFor();
    await expectAccessible(page);
    await shoot(page, "sensor-invalid");
    await page.getByText("The values as a table").click();
    await page
      .getByRole("cell", { name: /– · invalid: \d+ µg/ })
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Revoke: the inlet" }).click();
    await page.getByRole("form", { name: "Revoke" }).getByLabel("Reason").fill("it was another sensor");
    await page.getByRole("form", { name: "Revoke" }).getByRole("button", { name: "Revoke" }).click();
    await page.getByText("it was another sensor").waitFor();
    await page.locator(".chart-key", { hasText: "Marked invalid" }).waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
    await close();
  });

  it("calibrates from now on, and ends it", async () => {
    const { page, complaints, close } = await open();
    await page.getByRole("button", { name: "Calibrate" }).click();
    const form = page.getByRole("form", { name: "Calibrate" });
    await form.getByLabel("Value").selectOption("no2");
    await form.getByLabel("Factor").fill("0");
    await form.getByLabel("Offset").fill("-2");
    await form.getByLabel("Certificate").fill("lab report 114");
    await form.getByRole("button", { name: "Save calibration" }).click();
    await form.getByText("A factor of 0 would leave nothing.").waitFor();
    await shoot(page, "sensor-calibrate");
    await form.getByLabel("Factor").fill("1.04");
    await form.getByRole("button", { name: "Save calibration" }).click();
    await page.getByText("× 1.04 − 2").waitFor();
    const list = async () => (await site.city.api("/sensors/air-1/calibrations")).items;
    expect(await list()).toMatchObject([{ metric: "no2", factor: 1.04, offset: -2, certificate: "lab report 114" }]);
    await page.getByRole("button", { name: /^End: .*lab report 114/ }).click();
    await page.getByText("ended", { exact: true }).waitFor();
    expect((await list())[0]).toHaveProperty("endedAt");
    expect(complaints.filter((one) => !one.includes("400"))).toEqual([]);
    await close();
  });

  it("looks well in each theme and can be used by everyone", { tags: ["long"] }, async () => {
    const { page, close } = await open();
    await expectEachTheme(page, "sensor");
    await close();
  });

  it("fits a phone, in Spanish, too; what does not exist is said", async () => {
    const { page, goTo, close } = await open({ size: "phone", touch: true, language: "es-ES" });
    await page.getByText("Últimos valores").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(page, "sensor-phone");
    await goTo("/sensors/none");
    await page.getByText("Sensor no encontrado").waitFor();
    await close();
  });
});

/** So many minutes from now, as a field of a form wants it, on the city's clocks. */
const localOf =
  (minutes: number) =>
  ({ timeZone }: { timeZone: string }): string =>
    new Date(Date.now() + minutes * MINUTE_MS).toLocaleString("sv-SE", { timeZone }).slice(0, 16).replace(" ", "T");

/** A day of two stations, five hours of it missing, with one implausible value at the end. */
async function sendDay({ api }: City): Promise<void> {
  const now = Date.now();
  const place = { kind: "air", district: "north" };
  await api("/devices", { sensorId: "air-1", ...place, name: "Station <i>North</i>", lat: 40.4, lon: -3.7 });
  await api("/devices", { sensorId: "air-2", ...place, lat: 40.41, lon: -3.7 });
  const readings = Array.from({ length: 140 }, (_, i) => {
    const measuredAt = new Date(now - (140 - i) * 10 * MINUTE_MS).toISOString();
    const wave = Math.round(200 + 120 * Math.sin(i / 12)) / 10;
    const own = {
      sensorId: "air-1",
      ...place,
      measuredAt,
      pm25: i === 139 ? 510 : wave,
      no2: 30 + (i % 9),
      battery: 81,
    };
    const other = { sensorId: "air-2", ...place, measuredAt, pm25: wave + 3 + (i % 4), no2: 25 };
    return i > 40 && i < 70 ? [other] : [own, other];
  });
  await api("/readings", readings.flat());
  const stored = async () => (await api("/sensors/air-1/readings?limit=1000")).items.length;
  await vi.waitFor(async () => expect(await stored()).toBe(111), { timeout: 30_000 });
}

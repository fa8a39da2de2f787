import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import { cityPmtiles } from "../../tools/pmtiles-file.ts";
import { HOME } from "../helpers/city.ts";
import { alarm } from "./alarms.ts";
import { expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { useSite } from "./site.ts";

const dir = mkdtempSync(join(tmpdir(), "lamppost-map-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const PMTILES = join(dir, "made-up.pmtiles");
writeFileSync(PMTILES, cityPmtiles({ lat: 52.61, lon: 11.02, sizeMiB: 1, seed: 1 }));

/** How many colours the base map has: an empty one has one. */
async function coloursOf(base: Locator): Promise<number> {
  return base.evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const copy = new OffscreenCanvas(width, height).getContext("2d")!;
    copy.drawImage(canvas as HTMLCanvasElement, 0, 0);
    return new Set(new Uint32Array(copy.getImageData(0, 0, width, height).data.buffer)).size;
  });
}

async function drawnMap(page: Page): Promise<Locator> {
  const base = page.locator("canvas.base-map[data-zoom]");
  await base.waitFor();
  await expect.poll(() => coloursOf(base)).toBeGreaterThan(20);
  return base;
}

describe.runIf(HAS_BROWSER)("maps", () => {
  const site = useSite(
    async (city) => {
      await alarm(city, "air-1", 5, "Station Market");
      await city.api("/readings", { sensorId: "air-1", kind: "air", district: "centre", pm25: 12 });
    },
    { env: { LAMPPOST_MAP_FILE: `${join(HOME, "simulators/lindenau.geojson")},${PMTILES}` } },
  );

  it("show streets of GeoJSON and of PMTiles, say whose they are, and find a street", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/");
    await drawnMap(page);
    await page.getByText("Made up for tests").waitFor();
    await page.locator(".leaflet-control-scale-line").waitFor();
    await expectEachTheme(page, "map");
    const zoom = () => page.locator("canvas.base-map").getAttribute("data-zoom");
    await page.getByLabel("Find a street, sensor or district").fill("quay");
    await page.getByRole("button", { name: "Quay Street Place" }).click();
    await expect.poll(zoom).toBe("16");
    await page.getByLabel("Find a street, sensor or district").fill("market");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Sensor" }).getByText("Station Market").waitFor();
    await shoot(page, "map-street");
    expect(complaints).toEqual([]);
    await close();
  });

  it("remember in this browser what was chosen to be shown", async () => {
    const { page, goTo, complaints, close } = await site.visit();
    await goTo("/");
    await page.getByRole("button", { name: "Layers" }).click();
    const layers = page.getByRole("region", { name: "Layers" });
    await layers.getByLabel("Traffic").uncheck();
    await layers.getByLabel("Coverage").check();
    await layers.getByLabel("Colour by value").selectOption("pm25");
    const legend = page.getByRole("complementary", { name: "Legend" });
    await legend.getByText("12 µg/m³").first().waitFor();
    await goTo("/");
    await legend.getByText("500 m around a sensor").waitFor();
    expect(await legend.getByText("Traffic").count()).toBe(0);
    await legend.getByText("12 µg/m³").first().waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("stand on the pages of a sensor and of an alert, and on a phone", async () => {
    const { page, goTo, complaints, close } = await site.visit({ size: "phone", touch: true });
    await goTo("/sensors/air-1");
    await page.getByRole("application", { name: "Map: where Station Market is" }).waitFor();
    await drawnMap(page);
    await goTo("/");
    await page.getByRole("button", { name: "Map" }).click();
    await drawnMap(page);
    await expectEachTheme(page, "map-phone");
    await page.getByRole("button", { name: "List" }).click();
    await page.locator(".row-title a").first().click();
    await page.getByRole("application", { name: "Map: where Station Market is" }).waitFor();
    await drawnMap(page);
    expect(complaints).toEqual([]);
    await close();
  });

  it("come from what an admin uploads, and a broken file is refused in words", async () => {
    const { page, goTo, close } = await site.visit();
    await goTo("/admin?tab=map");
    const upload = page.getByLabel("Upload a map file");
    await upload.setInputFiles({ name: "broken.pmtiles", mimeType: "", buffer: Buffer.from("nothing of a map") });
    await page.getByText("This file is refused: it does not begin as a PMTiles file does.").waitFor();
    await upload.setInputFiles(PMTILES); // the settings have one of this name
    await page.getByText("the settings name a file of this name").waitFor();
    const own = JSON.stringify({ type: "Point", coordinates: [11, 52] });
    await upload.setInputFiles({ name: "Own Streets.json", mimeType: "", buffer: Buffer.from(own) });
    await page.getByText("own-streets.geojson").first().waitFor();
    await expectEachTheme(page, "map-files");
    await page.getByRole("button", { name: "Remove own-streets.geojson" }).click();
    await expect.poll(() => page.getByText("own-streets.geojson").count()).toBe(0);
    await close();
  });
});

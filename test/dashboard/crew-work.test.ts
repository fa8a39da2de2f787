import { describe, expect, it } from "vitest";
import { exif, jpegWith, segment } from "../helpers/photos.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { addUser, alertOf, card, deedsOn, fillCity } from "./crews.ts";
import { textOfPages } from "./pdf.ts";
import { useSite } from "./site.ts";

describe.runIf(HAS_BROWSER)("the work of a crew", () => {
  let anna: string;
  const site = useSite(async (city) => {
    anna = await addUser(city, "anna", "crew");
    await fillCity(city);
  });

  const open = async () => {
    const visited = await site.visit({ token: anna, size: "phone", touch: true });
    await visited.goTo("/crew");
    await visited.page.locator(".crew-fresh.here").waitFor();
    await visited.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await expect.poll(() => visited.page.evaluate(() => caches.has("crew-list"))).toBe(true);
    return visited;
  };

  it("is told with a photo, parts and a note, without a connection; the photo says nothing of place and device", async () => {
    const { page, context, complaints, close } = await open();
    let sent = 0;
    context.on("request", (request) => {
      if (request.url().endsWith("/photos")) sent += 1;
    });
    await context.setOffline(true);
    const mill = card(page, "Old mill");
    await mill.getByRole("button", { name: "Done" }).tap();
    await page.getByLabel("Note").fill("New battery");
    await page.getByLabel("Parts used").fill("1 battery 12 V");
    const buffer = jpegWith(exif(6), segment(0xfe, "made by Acme"));
    await page.getByLabel("Add photo").setInputFiles([
      { name: "mill.jpg", mimeType: "image/jpeg", buffer },
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") },
    ]);
    await page.getByText("This is no picture that this browser can read.").waitFor();
    await page.getByRole("button", { name: "Remove photo 1" }).waitFor();
    await expectEachTheme(page, "crew-done");
    await mill.locator("form").getByRole("button", { name: "Done" }).tap();
    await page.getByText("1 photo", { exact: true }).waitFor();
    // It is kept with the rest.
    await page.reload();
    await page.getByText("1 photo", { exact: true }).waitFor();
    const waiting = await page.evaluate(keptPhoto);
    await shoot(page, "crew-photo-waiting");
    await context.setOffline(false);
    await expect.poll(() => deedsOn(site.city, "air-5", "closed")).toEqual(["anna: New battery"]);
    expect(sent).toBe(1);
    // Offline, the page's own questions fail.
    expect(complaints.filter((one) => !/ERR_INTERNET_DISCONNECTED|Failed to load resource/.test(one))).toEqual([]);
    await close();

    const { id, timeline } = await alertOf(site.city, "air-5");
    const closed = timeline.find(({ what }: { what: string }) => what === "closed");
    expect(closed).toMatchObject({ parts: "1 battery 12 V", photos: [expect.any(String)] });
    const kept = await site.city.call(`/api/v1/alerts/${id}/photos/${closed.photos[0]}`);
    const bytes = Buffer.from(await kept.arrayBuffer());
    for (const one of [Buffer.from(waiting), bytes]) expect(one.toString("latin1")).not.toMatch(/Exif|Acme|GPS|film/);
    expect(bytes.toString("latin1")).not.toMatch(/ICC_PROFILE/);

    const desk = await site.visit();
    await desk.goTo(`/alerts/${id}`);
    const photo = desk.page.getByRole("img", { name: "Photo 1" });
    // Turned as it was held: it is 6 wide and 8 high.
    await expect
      .poll(() => photo.evaluate((img: HTMLImageElement) => [img.naturalWidth, img.naturalHeight]))
      .toEqual([6, 8]);
    await desk.page.getByText("Parts: 1 battery 12 V").waitFor();
    await photo.scrollIntoViewIfNeeded();
    await expectAccessible(desk.page);
    await shoot(desk.page, "alert-photo");
    expect(desk.complaints).toEqual([]);
    await desk.close();
  });

  it("goes back to the operators with the reason where it cannot be done, and comes again when they give it anew", async () => {
    const { page, complaints, close } = await open();
    const gate = card(page, "Zoo gate");
    await gate.getByRole("button", { name: /Take it/ }).tap();
    await gate.getByRole("button", { name: "Cannot" }).tap();
    await gate.getByLabel("Because").selectOption("No access");
    await gate.getByLabel("Note").fill("The zoo is closed on Mondays");
    await expectAccessible(page);
    await shoot(page, "crew-cannot");
    await gate.getByRole("button", { name: "Give back" }).tap();
    await expect.poll(() => card(page, "Zoo gate").count()).toBe(0);
    const reason = "No access: The zoo is closed on Mondays";
    await expect.poll(() => deedsOn(site.city, "air-4", "returned")).toEqual([`anna: ${reason}`]);

    const desk = await site.visit();
    await desk.goTo("/");
    const row = desk.page
      .locator(".row", { hasText: "Zoo gate" })
      .or(desk.page.locator(".row", { has: desk.page.locator(".returned-chip") }));
    await row.getByText("Given back").waitFor();
    await shoot(desk.page, "desk-returned");
    await row.getByRole("link").click();
    await desk.page.locator(".returned", { hasText: reason }).waitFor();
    await expectAccessible(desk.page);
    await shoot(desk.page, "alert-returned");
    expect(desk.complaints).toEqual([]);
    await desk.close();

    const { id, assignee, handling } = await alertOf(site.city, "air-4");
    expect([assignee, handling]).toEqual([undefined, "open"]);
    await site.city.api(`/alerts/${id}/assign`, { assignee: "anna", note: "Ring at the door" });
    await page.getByRole("button", { name: "Refresh" }).tap();
    await gate.getByText("Ring at the door").waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("is printed as a sheet, the worst first, then place by place", async () => {
    const { page, close } = await open();
    await page.evaluate(() => {
      window.print = () => void document.documentElement.setAttribute("data-printed", "");
    });
    await page.getByRole("button", { name: "Work sheet" }).tap();
    await page.locator("html[data-printed]").waitFor();
    await page.locator(".crew-sheet td").first().waitFor({ state: "attached" });
    await page.setViewportSize({ width: 794, height: 1_123 });
    await page.emulateMedia({ media: "print" });
    await shoot(page, "crew-sheet");
    await page.emulateMedia({ media: null });
    const [text = "", ...more] = await textOfPages(await page.pdf({ format: "A4" }));
    expect(more).toEqual([]);
    const places = ["Harbour", "Market Square", "Zoo gate"].map((name) => text.indexOf(name));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(text).toContain("Ring at the door");
    expect(text).not.toMatch(/Refresh|Take it/);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await expect.poll(() => page.locator(".crew-sheet").count()).toBe(0);
    await close();
  });
});

/** The bytes of the photo that waits on this device. */
async function keptPhoto(): Promise<number[]> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open("crew-queue");
    request.onsuccess = () => resolve(request.result);
  });
  const items = await new Promise<{ photos: Blob[] }[]>((resolve) => {
    const request = db.transaction("actions").objectStore("actions").getAll();
    request.onsuccess = () => resolve(request.result);
  });
  db.close();
  return [...new Uint8Array(await items[0]!.photos[0]!.arrayBuffer())];
}

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { closeVisits, expectAccessible, HAS_BROWSER, shoot, visit } from "./browser.ts";
import { addUser, alertOf, card, deedsOn, fillCity } from "./crews.ts";

describe.runIf(HAS_BROWSER)("the crews' list with a bad connection", () => {
  let city: City;
  let anna: string;
  let ben: string;
  beforeAll(async () => {
    city = await startCity();
    anna = await addUser(city, "anna", "crew");
    ben = await addUser(city, "ben", "crew");
    await fillCity(city);
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  /** With the worker installed and the list kept. */
  const open = async ({ before }: { before?: (page: Page) => Promise<void> } = {}) => {
    const visited = await visit(city, { token: anna, size: "phone", touch: true });
    if (before) {
      await visited.goTo("/account");
      await before(visited.page);
    }
    await visited.goTo("/crew");
    await visited.page.locator(".crew-fresh.here").waitFor();
    await visited.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await expect.poll(() => visited.page.evaluate(() => caches.has("crew-list"))).toBe(true);
    return visited;
  };
  const take = (page: Page, name: string) => card(page, name).getByRole("button", { name: "Take it" }).click();
  const asBen = (path: string, body: object) =>
    city.call(`/api/v1${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${ben}`, "content-type": "application/json" },
    });

  it("opens without one, says how old the list is, keeps what is pressed through a reload, and sends it once", async () => {
    const { page, context, close } = await open();
    const sent: string[] = [];
    context.on("request", (request) => request.method() === "POST" && sent.push(request.url()));
    await context.setOffline(true);
    await page.reload();
    await page.getByText(/No connection. This list is from \d\d:\d\d/).waitFor();
    await take(page, "Zoo gate");
    await take(page, "Old mill");
    await page.getByRole("heading", { name: "2 actions waiting to be sent" }).waitFor();
    await card(page, "Zoo gate").getByText("Waiting to be sent").waitFor();
    await page.getByRole("listitem").filter({ hasText: "Take it: Battery low, Old mill" }).getByText("Undo").click();
    // Shown when the device has written it down: a reload before that may come first.
    await page.getByRole("heading", { name: "1 action waiting to be sent" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "1 action waiting to be sent" }).waitFor();
    await expectAccessible(page);
    await shoot(page, "crew-offline");
    expect(await deedsOn(city, "air-4", "started")).toEqual([]);
    await context.setOffline(false);
    await page.locator(".crew-fresh.here").waitFor();
    await card(page, "Zoo gate").getByText("Handled by you").waitFor();
    await expect.poll(() => page.locator(".crew-waiting").count()).toBe(0);
    await page.reload();
    await card(page, "Zoo gate").getByText("Handled by you").waitFor();
    expect(await deedsOn(city, "air-4", "started")).toEqual(["anna"]);
    expect(sent.filter((url) => url.endsWith("/start"))).toHaveLength(1);
    await close();
  });

  it("opens from what it kept when the line is there and carries nothing", async () => {
    const { page, close } = await open();
    await page.route("**/api/v1/**", () => {}); // for ever
    await page.reload();
    await page.getByText(/Loading the latest list … This list is from \d\d:\d\d/).waitFor();
    await card(page, "Market Square").waitFor();
    await close();
  });

  it("sends once where two windows are open", async () => {
    const { page, context, close } = await open();
    const other = await context.newPage();
    await other.goto("/crew");
    await other.locator(".crew-fresh.here").waitFor();
    const sent: string[] = [];
    context.on("requestfinished", (request) => request.method() === "POST" && sent.push(request.url()));
    await context.setOffline(true);
    await take(page, "Old mill");
    await page.getByRole("heading", { name: "1 action waiting to be sent" }).waitFor();
    await context.setOffline(false);
    await card(page, "Old mill").getByText("Handled by you").waitFor();
    await other.getByRole("button", { name: "Refresh" }).click();
    await card(other, "Old mill").getByText("Handled by you").waitFor();
    expect(sent.filter((url) => url.endsWith("/start"))).toHaveLength(1);
    await close();
  });

  it("says so when the device cannot keep what was pressed", async () => {
    const { page, close } = await open();
    await page.evaluate(() => {
      IDBObjectStore.prototype.add = () => {
        throw new DOMException("No room", "QuotaExceededError");
      };
    });
    await take(page, "Harbour");
    await page.getByText("This device could not save your action.").waitFor();
    expect(await deedsOn(city, "air-3", "started")).toEqual([]);
    await close();
  });

  it("does nothing twice when the answer was lost on the way", async () => {
    const { page, context, close } = await open();
    let arrived = 0;
    await page.route("**/close", async (route) => {
      arrived += 1;
      await route.fetch();
      await route.abort();
    });
    await card(page, "Zoo gate").getByRole("button", { name: "Done" }).click();
    await page.getByLabel("Note").fill("New battery");
    await card(page, "Zoo gate").locator("form").getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { name: "1 action waiting to be sent" }).waitFor();
    await expect.poll(() => deedsOn(city, "air-4", "closed")).toEqual(["anna: New battery"]);
    await context.setOffline(true);
    await city.api(`/alerts/${(await alertOf(city, "air-4")).id}/reopen`, {});
    await context.setOffline(false);
    await expect.poll(() => page.locator(".crew-waiting").count()).toBe(0);
    expect(await deedsOn(city, "air-4", "closed")).toEqual(["anna: New battery"]);
    expect(arrived).toBe(1);
    await close();
  });

  it("shows who was first and what they did, until it has been read; the note is not lost", async () => {
    const { page, context, close } = await open();
    await context.setOffline(true);
    await card(page, "Old mill").getByRole("button", { name: "Done" }).click();
    await page.getByLabel("Note").fill("Needs a ladder");
    await card(page, "Old mill").locator("form").getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { name: "1 action waiting to be sent" }).waitFor();
    const { id } = await alertOf(city, "air-5");
    await asBen(`/alerts/${id}/close`, { note: "Done <b>yesterday</b>" });
    await context.setOffline(false);
    const refused = page.locator(".crew-refused");
    await refused.getByText(/^ben closed it at \d\d:\d\d\.$/).waitFor();
    await refused.getByText("Done <b>yesterday</b>").waitFor();
    await refused.getByText("Needs a ladder").waitFor();
    await page.locator("main").evaluate((main) => main.scrollTo(0, 2_000));
    await page.getByRole("button", { name: "1 action was not carried out" }).click();
    await expect.poll(() => page.locator("main").evaluate((main) => main.scrollTop)).toBe(0);
    await expectAccessible(page);
    await shoot(page, "crew-conflict");
    await page.reload();
    await refused.getByRole("button", { name: "Send the note anyway" }).click();
    await expect.poll(() => deedsOn(city, "air-5", "commented")).toEqual(["anna: Needs a ladder"]);
    await expect.poll(() => refused.count()).toBe(0);
    expect(await deedsOn(city, "air-5", "closed")).toEqual(["ben: Done <b>yesterday</b>"]);
    await close();
  });

  it("says that nobody need go when it ended by itself meanwhile", async () => {
    const { page, context, close } = await open();
    await context.setOffline(true);
    await take(page, "Harbour");
    await page.getByRole("heading", { name: "1 action waiting to be sent" }).waitFor();
    await page.evaluate(ageQueue);
    await city.api("/readings", { sensorId: "air-3", kind: "air", district: "centre", battery: 95 });
    await expect.poll(async () => (await alertOf(city, "air-3")).state).toBe("resolved");
    await context.setOffline(false);
    await page.getByText(/It was resolved by itself at/).waitFor();
    expect(await deedsOn(city, "air-3", "started")).toEqual([]);
    await page.getByRole("button", { name: "OK" }).click();
    await expect.poll(() => page.locator(".crew-refused").count()).toBe(0);
    await page.reload();
    await page.locator(".crew-fresh.here").waitFor();
    expect(await page.locator(".crew-refused").count()).toBe(0);
    await close();
  });

  it("keeps what waits for the one who pressed it, when the session ends meanwhile", async () => {
    const { page, context, close } = await open();
    await context.setOffline(true);
    await card(page, "Market Square").getByRole("button", { name: "Take all 2" }).click();
    await page.getByRole("heading", { name: "2 actions waiting to be sent" }).waitFor();
    await context.clearCookies();
    await context.setOffline(false);
    await page.getByText("Your session has ended").waitFor();
    expect(await page.evaluate(() => caches.has("crew-list"))).toBe(false);
    await signIn(page, ben);
    await page.locator(".crew-fresh.here").waitFor();
    expect(await page.locator(".crew-waiting").count()).toBe(0);
    await page.locator(".settings summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(page, anna);
    await card(page, "Market Square").getByText("Handled by you").first().waitFor();
    for (const id of ["air-1", "air-2"]) expect(await deedsOn(city, id, "started")).toEqual(["anna"]);
    await close();
  });

  it("forgets the list at the sign-out, and says so without a connection", async () => {
    const { page, context, close } = await open();
    await page.locator(".settings summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await expect.poll(() => page.evaluate(() => caches.has("crew-list"))).toBe(false);
    await context.setOffline(true);
    await page.reload();
    await page.getByText("No connection, and no list is kept on this device yet.").waitFor();
    await close();
  });

  it("keeps the files of the page only: nothing that the API says, no credentials", async () => {
    const { page, close } = await open({
      before: (first) => first.evaluate(async () => void (await caches.open("shell-of-an-older-build"))),
    });
    const kept = await page.evaluate(async () => {
      const names = (await caches.keys()).filter((name) => name.startsWith("shell-"));
      const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return requests.flat().map(({ url }) => new URL(url).pathname);
    });
    await expect.poll(() => page.evaluate(() => caches.has("shell-of-an-older-build"))).toBe(false);
    expect(kept).toContain("/");
    expect(
      kept.filter((path) => !/^\/($|assets\/|icon\.svg|city-metrics\.js$|manifest\.webmanifest)/.test(path)),
    ).toEqual([]);
    const list = await page.evaluate(async () => (await (await caches.open("crew-list")).match("/crew-list"))?.text());
    expect(list).not.toContain(anna);
    expect(list).toContain("Market Square");
    await close();
  });
});

async function signIn(page: Page, token: string): Promise<void> {
  await page.locator("label", { hasText: "Token" }).click();
  await page.locator("input[name=token]").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** As if it had been pressed a minute ago: what was pressed just now is sent without a look. */
async function ageQueue(): Promise<void> {
  const db = await new Promise<IDBDatabase>((resolve) => {
    const request = indexedDB.open("crew-queue");
    request.onsuccess = () => resolve(request.result);
  });
  const store = db.transaction("actions", "readwrite").objectStore("actions");
  store.openCursor().onsuccess = (event) => {
    const cursor = (event.target as IDBRequest<IDBCursorWithValue | null>).result;
    if (!cursor) return db.close();
    cursor.update({ ...cursor.value, madeAt: Date.now() - 60_000 });
    cursor.continue();
  };
}

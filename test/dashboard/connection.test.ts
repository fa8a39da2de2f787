import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { alarm, freePort } from "./alarms.ts";
import { closeVisits, HAS_BROWSER, shoot, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("a page that loses its service", () => {
  let city: City;
  let env: Record<string, string>;
  beforeAll(async () => {
    env = { LAMPPOST_HTTP_PORT: await freePort() };
    city = await startCity({ env });
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  /** A mark that only a reload would wipe away. */
  const mark = (page: Page) => page.evaluate(() => Object.assign(window, { mark: "still the same page" }));
  const isSame = (page: Page) => page.evaluate(() => "mark" in window);

  it("says so at once, comes back by itself and misses nothing", async () => {
    const { page, context, goTo, close } = await visit(city, { token: city.token });
    await goTo("/");
    await page.getByText("All quiet").waitFor();
    await page.locator(".connection.live").waitFor();
    await shoot(page, "desk-quiet");
    await mark(page);
    await context.setOffline(true);
    await page.getByRole("alert").getByText("Connection lost").waitFor();
    await alarm(city, "missed-1", 15);
    await shoot(page, "desk-lost");
    expect(await page.locator(".row").count()).toBe(0);
    await context.setOffline(false);
    await page
      .getByText(/missed-1/)
      .first()
      .waitFor();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    expect(await isSame(page)).toBe(true);
    await close();
  });

  it("loads everything anew where the stream says that changes in between are gone", async () => {
    const { page, goTo, close } = await visit(city, { token: city.token });
    let streams = 0;
    const lists: string[] = [];
    page.on("request", (request) => void (request.url().includes("/alerts?mode=live") && lists.push(request.url())));
    const stale = JSON.stringify({ at: "2026-11-21T10:00:00Z", what: "firing", alert: { id: "x", subject: {} } });
    await page.route("**/api/v1/events*", (route) => {
      streams += 1;
      const body = `event: reset\nid: 1\ndata: {"reason":"removed"}\n\nevent: alert\nid: 2\ndata: ${stale}\n\n`;
      return streams === 1 ? route.fulfill({ contentType: "text/event-stream", body }) : route.continue();
    });
    await goTo("/");
    await page.locator(".connection.live").waitFor();
    await expect.poll(() => streams).toBe(2);
    expect(lists.length).toBe(2);
    await page
      .getByText(/missed-1/)
      .first()
      .waitFor();
    await alarm(city, "missed-3", 15);
    await page
      .getByText(/missed-3/)
      .first()
      .waitFor();
    await close();
  });

  it("goes on after a restart of the service, signed in as before", async () => {
    const { page, goTo, close } = await visit(city, { token: city.token });
    await goTo("/");
    await page
      .getByText(/missed-1/)
      .first()
      .waitFor();
    await page.locator(".connection.live").waitFor();
    await mark(page);
    await city.kill();
    await page.locator(".connection.lost").waitFor();
    city = await city.restart({ env });
    await alarm(city, "missed-2", 15);
    await page
      .getByText(/missed-2/)
      .first()
      .waitFor();
    await page.locator(".connection.live").waitFor();
    expect(await isSame(page)).toBe(true);
    await close();
  });

  it("asks to sign in again when the session was ended elsewhere, and then shows where one was", async () => {
    const { username, password } = await city.api("/users", { name: "olga", role: "operator" });
    const { page, goTo, close } = await visit(city, { token: password });
    await goTo("/?q=missed-2");
    await page.locator(".connection.live").waitFor();
    await city.api(`/users/${username}`, undefined, "DELETE");
    await page.getByText("Your session has ended").waitFor();
    await page.getByRole("radio", { name: "Token" }).check();
    await page.locator("input[name=token]").fill(city.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page
      .getByText(/missed-2/)
      .first()
      .waitFor();
    expect(new URL(page.url()).search).toBe("?q=missed-2");
    await close();
  });
});

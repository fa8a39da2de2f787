import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AlertView } from "../../contract/alert.ts";
import { type City, startCity, until } from "../helpers/city.ts";
import { alarm } from "./alarms.ts";
import {
  closeVisits,
  expectAccessible,
  expectEachTheme,
  HAS_BROWSER,
  shoot,
  type Visit,
  type VisitOptions,
  visit,
} from "./browser.ts";

describe.runIf(HAS_BROWSER)("the operators' desk", () => {
  let city: City;
  const visits: Visit[] = [];
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_SIMULATE: "city" } });
    // The simulated city tells its past first: then its alerts are there.
    await until(open, (alerts) => alerts.length >= 8, 60_000);
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  /** As the desk shows them: what is suppressed is told to nobody. */
  const open = async (): Promise<readonly AlertView[]> => {
    const found = await city.api("/alerts?state=firing&handling=open,acknowledged,in-progress&limit=1000");
    return found.items.filter(({ suppressedBy }: AlertView) => suppressedBy === undefined);
  };

  /** The desk, loaded, with the list there. */
  async function desk(options: VisitOptions = {}, path = "/"): Promise<Page> {
    const opened = await visit(city, { token: city.token, ...options });
    visits.push(opened);
    await opened.goTo(path);
    await opened.page.locator(".row").first().waitFor();
    return opened.page;
  }

  /** Nobody may have complained, about anything but a refusal that the test is about. */
  afterEach(async () => {
    const left = visits.splice(0);
    await Promise.all(left.map((one) => one.close()));
    expect(left.flatMap((one) => one.complaints).filter((one) => !one.includes("409"))).toEqual([]);
  });

  it("can be used by everyone in each theme, wide and on a phone", async () => {
    const page = await desk();
    await page.locator(".leaflet-overlay-pane canvas").waitFor();
    await expectEachTheme(page, "desk");
    const phone = await desk({ size: "phone", touch: true });
    await expectEachTheme(phone, "desk-phone");
    await phone.getByRole("button", { name: "Map" }).tap();
    await phone.locator(".leaflet-overlay-pane canvas").waitFor();
    await shoot(phone, "desk-phone-map");
  });

  it("counts and colours each district by its open alerts, the worst first in the list", async () => {
    const page = await desk();
    for (const [district, name] of [
      ["centre", "Centre"],
      ["harbour", "Harbour"],
    ] as const) {
      const button = page.getByRole("button", { name: new RegExp(`^${name} \\d+ open`) });
      await until(
        async () => {
          const own = (await open()).filter(({ subject }) => subject.district === district);
          const worst = ["critical", "warning", "info"].find((one) => own.some(({ severity }) => severity === one));
          const shown = [await button.getAttribute("class"), await button.locator("b").textContent()];
          return [shown, [`district ${worst}`, String(own.length)]];
        },
        ([shown, expected]) => String(shown) === String(expected),
      );
    }
    const marks = await page.locator(".row > .severity").evaluateAll((all) => all.map((one) => one.className));
    const ranks = marks.map((mark) => ["severity critical", "severity warning", "severity info"].indexOf(mark));
    expect(ranks).toEqual(ranks.toSorted());
  });

  it("keeps its filters in the address: a link shows the same, and clearing shows all", async () => {
    const page = await desk();
    const all = await page.locator(".row").count();
    await page.locator(".severities button").first().click();
    await page.getByLabel("Kind").selectOption("air");
    await expect.poll(() => new URL(page.url()).search).toBe("?severity=critical&kind=air");
    const idsOn = (one: Page) =>
      one.locator(".row").evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.id).join(" "));
    const shown = await page.locator(".row").count();
    expect(shown).toBeLessThan(all);
    const friend = await desk({}, new URL(page.url()).search);
    // The city goes on meanwhile: both follow it.
    await expect.poll(async () => (await idsOn(friend)) === (await idsOn(page))).toBe(true);
    await friend.getByRole("searchbox").fill("nothing says this");
    await friend.getByText("No alerts match these filters").waitFor();
    await shoot(friend, "desk-nothing-fits");
    await friend.getByRole("button", { name: "Clear filters" }).click();
    await expect.poll(() => friend.locator(".row").count()).toBeGreaterThan(shown);
  });

  it("goes by keyboard alone, from signing in to acknowledging", async () => {
    const { username, password } = await city.api("/users", { name: "olga", role: "operator" });
    const opened = await visit(city);
    visits.push(opened);
    const { page } = opened;
    await opened.goTo("/");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to content");
    await page.keyboard.press("Enter");
    // The way in (a radio button), the name, the password.
    for (const typed of ["", username, password]) {
      await page.keyboard.press("Tab");
      await page.keyboard.type(typed);
    }
    await page.keyboard.press("Enter");
    await page.locator(".row").first().waitFor();

    const rowInFocus = () => page.evaluate(() => document.activeElement?.closest("li")?.dataset.id);
    await page.keyboard.press("j");
    await expect.poll(rowInFocus).toBeDefined();
    // From here on the list stands still.
    const first = await rowInFocus();
    await page.keyboard.press("j");
    await expect.poll(rowInFocus).not.toBe(first);
    const id = await rowInFocus();
    await page.keyboard.press("k");
    await expect.poll(rowInFocus).toBe(first);
    await page.keyboard.press("j");
    await expect.poll(rowInFocus).toBe(id);
    await page.keyboard.press("a");
    await until(
      () => city.api(id?.startsWith("in-") ? `/incidents/${id}` : `/alerts/${id}`),
      ({ handling }) => handling === "acknowledged",
    );
    await expect.poll(() => page.locator(`[data-id="${id}"]`).textContent()).toContain("olga");

    await page.keyboard.press("/");
    await page.keyboard.type("j?");
    expect(await page.getByRole("searchbox").inputValue()).toBe("j?");
    await page.keyboard.press("Escape");
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("dialog").count()).toBe(0);
  });

  it("shows alerts of one cause as one row, which opens to them and is acknowledged as a whole", async () => {
    const page = await desk();
    const row = page.locator(".row.incident").filter({ hasText: "Nitrogen dioxide" });
    const id = await row.getAttribute("data-id");
    const { members } = await city.api(`/incidents/${id}`);
    await row.getByRole("button", { name: /one cause/ }).click();
    const inList = members.filter(({ suppressedBy }: AlertView) => suppressedBy === undefined);
    for (const one of inList) await page.locator(`[data-id="${one.id}"].member`).waitFor();
    await shoot(page, "desk-incident");
    if (await row.getByRole("button", { name: "Acknowledge" }).count()) {
      await row.getByRole("button", { name: "Acknowledge" }).click();
    }
    await until(
      () => city.api(`/incidents/${id}`),
      ({ handling }) => handling === "acknowledged",
    );
    await page.locator(`[data-id="${inList[0].id}"] a`).click();
    await page.getByRole("heading", { name: "Incident" }).waitFor();
    expect(await page.locator(".incident-members li").count()).toBe(members.length);
    await expectAccessible(page);
    await shoot(page, "alert-incident");
    // All of it is given to somebody in one go.
    const incident = page.getByRole("region", { name: "Incident" });
    await incident.getByRole("button", { name: "Assign all" }).click();
    await incident.getByLabel("Assign to").selectOption("admin");
    await incident.locator("form").getByRole("button", { name: "Assign" }).click();
    await until(
      () => city.api(`/incidents/${id}`),
      ({ assignee }) => assignee === "admin",
    );
  });

  it("acknowledges many at once, and says who was faster", async () => {
    await city.api("/users", { name: "bruno", role: "operator" }).then(async ({ password }) => {
      const page = await desk();
      const rows = await page.locator(".row:not(.incident)").evaluateAll((all) => all.map((one) => one.dataset.id));
      const todo = (await open()).filter(({ id, handling }) => handling === "open" && rows.includes(id)).slice(0, 3);
      for (const { id } of todo) await page.locator(`[data-id="${id}"] input[type=checkbox]`).check();
      const [taken] = todo;
      await page.route(`**/alerts/${taken!.id}/acknowledge`, async (route) => {
        const init = {
          method: "POST",
          headers: { authorization: `Bearer ${password}`, "content-type": "application/json" },
        };
        await fetch(`${city.http}/api/v1/alerts/${taken!.id}/acknowledge`, { ...init, body: "{}" });
        await route.continue();
      });
      await page.getByRole("button", { name: "Acknowledge 3" }).click();
      await page.getByText("2 acknowledged.").waitFor();
      await page.getByText(/acknowledged already by bruno at/).waitFor();
      await shoot(page, "desk-conflict");
    });
  });

  it("does not push rows under the pointer: new ones wait, and come when it leaves", async () => {
    const page = await desk();
    const first = page.locator(".row").first();
    await first.hover();
    const before = [await first.getAttribute("data-id"), await first.boundingBox()];
    await alarm(city, "held-1", 5);

    await page.getByRole("button", { name: /^\d new$/ }).waitFor();
    expect([await first.getAttribute("data-id"), await first.boundingBox()]).toEqual(before);
    await shoot(page, "desk-new");
    await page.getByRole("button", { name: /^\d new$/ }).click();
    await page
      .getByText(/held-1/)
      .first()
      .waitFor();
    await page.mouse.move(5, 400);
    await alarm(city, "held-2", 5);
    await page
      .getByText(/held-2/)
      .first()
      .waitFor();
    expect(await page.locator(".pill").count()).toBe(0);
  });

  it("counts new critical alerts in the title only where that is switched on and nobody looks", async () => {
    const page = await desk();
    await alarm(city, "quiet-1", 5);
    await page
      .getByText(/quiet-1/)
      .first()
      .waitFor();
    expect(await page.title()).toBe("Desk · Lamppost");
    await page.keyboard.press("?");
    await page.getByLabel("Count them in the title").check();
    await page.keyboard.press("Escape");
    await page.evaluate(() => {
      Object.defineProperty(document, "hasFocus", { value: () => false });
    });
    await alarm(city, "loud-1", 5);
    await expect.poll(() => page.title()).toBe("(1) Desk · Lamppost");
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await expect.poll(() => page.title()).toBe("Desk · Lamppost");
  });

  it("shows names full of markup as text", async () => {
    await alarm(city, "markup-1", 5, '<img src=x onerror="document.title=1"><b>Mast</b>');
    const page = await desk({}, "/?q=markup");
    await page.locator(".row").first().waitFor();
    expect(await page.locator(".row").first().textContent()).toContain("<b>Mast</b>");
    expect(await page.locator(".row img, .row b").count()).toBe(0);
  });

  it("speaks German and Spanish, with numbers and times to match", async () => {
    for (const [language, words] of [
      ["de-DE", "Leitstand"],
      ["es-ES", "Puesto de control"],
    ] as const) {
      const page = await desk({ language });
      expect(await page.title()).toBe(`${words} · Lamppost`);
      expect(await page.locator("html").getAttribute("lang")).toBe(language.slice(0, 2));
      await expectAccessible(page);
    }
    const page = await desk({ language: "de-DE" });
    expect(await page.locator("time").first().getAttribute("title")).toMatch(
      /\d\d:\d\d \(.+\) · \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/,
    );
    await shoot(page, "desk-german");
  });

  it("lets viewers look and not touch", async () => {
    const { password } = await city.api("/users", { name: "vera", role: "viewer" });
    const page = await desk({ token: password });
    expect(await page.getByRole("button", { name: "Acknowledge" }).count()).toBe(0);
    expect(await page.locator(".row input").count()).toBe(0);
    for (const key of ["j", "x", "a"]) await page.keyboard.press(key);
    expect(await page.getByText("1 selected").count()).toBe(0);
  });
});

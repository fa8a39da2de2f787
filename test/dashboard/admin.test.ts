import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { closeVisits, expectAccessible, HAS_BROWSER, shoot, type Visit, type VisitOptions, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("the page of admins", () => {
  let city: City;
  const visits: Visit[] = [];
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_TIME_ZONE: "Europe/Madrid" } });
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });
  /** Nobody may have complained, about anything but the refusals that tests are about. */
  afterEach(async () => {
    const left = visits.splice(0);
    await Promise.all(left.map((one) => one.close()));
    expect(left.flatMap((one) => one.complaints).filter((one) => !/40[09]/.test(one))).toEqual([]);
  });

  async function open(tab: string, options: VisitOptions = {}): Promise<Page> {
    const opened = await visit(city, { token: city.token, ...options });
    visits.push(opened);
    await opened.goTo(`/admin?tab=${tab}`);
    await opened.page.getByRole("heading", { level: 2 }).first().waitFor();
    return opened.page;
  }

  it("takes in the register from a file: mistakes with their lines first, then what would change, then all of it", async () => {
    const page = await open("sensors");
    const give = (lines: readonly string[]) =>
      page.getByLabel("CSV file").setInputFiles({
        name: "sensors.csv",
        mimeType: "text/csv",
        buffer: Buffer.from(lines.join("\r\n")),
      });
    await page.getByRole("button", { name: "Import from CSV" }).click();
    await give(["id,kind,district,login", "file-1,air,north,yes", "file-2,water,north,", "Not An Id,air,north,"]);
    await page.getByRole("alert").getByText("2 mistakes").waitFor();
    const mistakes = page.locator("section.panel table tbody tr");
    expect(await mistakes.allInnerTexts()).toEqual([
      expect.stringMatching(/^3\s+kind\s/),
      expect.stringMatching(/^4\s+id\s/),
    ]);
    await expectAccessible(page);
    await shoot(page, "admin-import-mistakes");
    await give(["id,kind,district,login", "file-1,air,north,yes", "file-2,air,north,"]);
    await page.getByText("2 to be added, 0 to be changed, 0 as they are.").waitFor();
    expect((await city.call("/api/v1/sensors/file-1")).status).toBe(404);
    await page.getByRole("button", { name: "Take in 2 sensors" }).click();
    await page.getByText("2 added, 0 changed.").waitFor();
    await shoot(page, "admin-import-done");
    const saving = page.waitForEvent("download");
    await page.getByRole("link", { name: "Save 1 password" }).click();
    const file = readFileSync(await (await saving).path(), "utf8").split("\r\n");
    expect(file[0]).toBe("username,password");
    expect(file[1]).toMatch(/^file-1,\S{10,}$/);
    await page.getByRole("button", { name: "Close" }).click();
    await page.getByRole("row", { name: /file-2/ }).waitFor();
    expect(await city.api("/sensors/file-1")).toMatchObject({ kind: "air", district: "north" });
  });

  it("adds a user, shows the password once, and asks once before removing", async () => {
    const page = await open("users");
    await page.getByRole("button", { name: "Add a user" }).click();
    await page.getByLabel("User name").fill("Not An Id");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("small.wrong").getByText("An id is").waitFor();
    await expect.poll(() => focused(page)).toBe("name");
    await shoot(page, "admin-users-wrong");
    await page.getByLabel("User name").fill("olga");
    await page.getByLabel("Role").selectOption("operator");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: "olga can sign in now" }).waitFor();
    const password = await page.getByLabel("Password", { exact: true }).inputValue();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy: Password" }).click();
    await page.getByText("Copied.").waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(password);
    await shoot(page, "admin-users-added");
    await page.getByRole("button", { name: "I have saved it" }).click();
    expect(await page.content()).not.toContain(password);
    const signedIn = await fetch(`${city.http}/api/v1/alerts`, { headers: { authorization: `Bearer ${password}` } });
    expect(signedIn.status).toBe(200);

    await page.getByRole("button", { name: "Add a user" }).click();
    await page.getByLabel("User name").fill("olga");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("alert").getByText("is taken").waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Remove: olga" }).click();
    await page.getByRole("dialog", { name: "Remove the user olga?" }).waitFor();
    await shoot(page, "admin-users-ask");
    await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    expect(await page.getByRole("row", { name: /olga/ }).count()).toBe(1);
    await page.getByRole("button", { name: "Remove: olga" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await expect.poll(() => page.getByRole("row", { name: /olga/ }).count()).toBe(0);
    expect(await page.getByRole("dialog").count()).toBe(0);
  });

  it("adds a sensor and a gateway with their passwords, and takes them away", async () => {
    const page = await open("sensors");
    await page.getByRole("button", { name: "Add a sensor" }).click();
    await page.getByLabel("Id", { exact: true }).fill("lamp-7");
    await page.getByLabel("District", { exact: true }).selectOption({ label: "A new district …" });
    await page.getByLabel("Id of the new district").fill("harbour");
    await page.getByLabel("Display name").fill("<b>Lamp</b> 7");
    await page.getByLabel("Latitude").fill("152");
    await page.getByLabel("Tags").fill("owner=parks");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await expect.poll(() => focused(page)).toBe("lat");
    await page.getByLabel("Latitude").fill("52.5");
    await page.getByLabel("Longitude").fill("13.4");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: "lamp-7 can send now" }).waitFor();
    const password = await page.getByLabel("Password", { exact: true }).inputValue();
    const sent = await fetch(`${city.http}/api/v1/readings`, {
      method: "POST",
      headers: { authorization: `Bearer ${password}`, "content-type": "application/json" },
      body: JSON.stringify({ sensorId: "lamp-7", kind: "air", district: "harbour", battery: 90 }),
    });
    expect(sent.status).toBe(202);
    await page.getByRole("row", { name: /lamp-7 <b>Lamp<\/b> 7.*Harbour.*own password/ }).waitFor();

    await page.getByRole("button", { name: "Add a gateway" }).click();
    await page.getByLabel("Name", { exact: true }).fill("gw-1");
    await page.getByLabel("Harbour").check();
    await page.getByLabel("Other districts").fill("Old Town");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("small.wrong").getByText("An id is").waitFor();
    await page.getByLabel("Other districts").fill("old-town");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: "The gateway gw-1 can connect now" }).waitFor();
    await page.getByRole("row", { name: /gw-1.*Harbour, Old town/ }).waitFor();
    await shoot(page, "admin-sensors");

    await page.getByRole("button", { name: "Remove: lamp-7" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await expect.poll(() => page.getByRole("row", { name: /lamp-7/ }).count()).toBe(0);
    const left = (await city.api("/devices")).items.map(({ username }: { username: string }) => username);
    expect(left).not.toContain("lamp-7");
  });

  it("adds targets with what each needs, says how it goes, and tries one out", async () => {
    const page = await open("targets");
    await page.getByText("Nobody is notified yet").waitFor();
    await page.getByRole("button", { name: "Add a target" }).click();
    await page.getByLabel("Name", { exact: true }).fill("The <i>night</i> desk");
    await page.getByLabel("Id", { exact: true }).fill("night");
    await page.getByLabel("Address").fill("http://127.0.0.1:9/hook");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("small.wrong").first().waitFor();
    await expect.poll(() => focused(page)).toBe("url");
    await shoot(page, "admin-targets-wrong");
    await page.getByLabel("Channel").selectOption("mqtt");
    await page.getByLabel("Topic").fill("alerts/to/night");
    await page.getByLabel("Minimum severity").selectOption("warning");
    await page.getByLabel("Hold back during certain hours").check();
    await page.getByLabel("Time zone").fill("Europe/Nowhere");
    await page.getByLabel("Sat").check();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("small.wrong").getByText("there is no such time zone").waitFor();
    await page.getByLabel("Time zone").fill("Europe/Vienna");
    await shoot(page, "admin-targets-form");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    const card = page.getByRole("listitem").filter({ hasText: "The <i>night</i> desk" });
    await card.getByText("Quiet from 22:00 to 06:00 (Europe/Vienna).").waitFor();
    await card.getByRole("button", { name: "Test" }).click();
    await card.getByText("Sent. Check whether it has arrived.").waitFor();

    await page.getByRole("button", { name: "Add a target" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Head of shift");
    await page.getByLabel("Address").fill("https://hooks.city.invalid/lamppost");
    await page.getByLabel("If not acknowledged after").fill("15m");
    await page.getByRole("combobox", { name: "Notify", exact: true }).selectOption("night");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("heading", { name: "Head of shift: the secret" }).waitFor();
    expect(await page.getByRole("textbox", { name: "Signing secret" }).inputValue()).toMatch(/^whsec_/);
    await page.getByRole("button", { name: "I have saved it" }).click();
    const head = page.getByRole("listitem").filter({ hasText: "Head of shift" });
    await head.getByText("Escalates to The <i>night</i> desk after 15m without acknowledgement.").waitFor();
    await head.getByRole("button", { name: "Test" }).click();
    await head.getByText(/^Not sent: /).waitFor();
    await page.route("**/api/v1/targets?*", async (route) => {
      const list = await (await route.fetch()).json();
      const refusing = [
        { address: "otto@city.example", why: "the mail server answered 550", at: "2026-11-21T10:00:00Z" },
      ];
      const items = list.items.map((one: object) => ({ ...one, refusing }));
      await route.fulfill({ json: { ...list, items } });
    });
    await head.getByRole("button", { name: "Test" }).click();
    await head.getByText("Mails are refused; the other addresses get them").waitFor();
    await head.getByText("otto@city.example").waitFor();
    await shoot(page, "admin-targets");

    await head.getByRole("button", { name: "Edit" }).click();
    await page.getByText("Currently https://hooks.city.invalid/lamppost.").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("Head of the shift");
    await page.getByLabel("Enabled").uncheck();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Disabled").waitFor();
    const { items } = await city.api("/targets");
    const wanted = { name: "Head of the shift", url: "https://hooks.city.invalid/lamppost", enabled: false };
    expect(items).toContainEqual(expect.objectContaining({ ...wanted, escalateTo: "night" }));

    await page.getByRole("button", { name: "Remove: The <i>night</i> desk" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByText("escalates to it").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Remove: Head of the shift" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await expect.poll(() => page.getByRole("listitem").filter({ hasText: "Head of" }).count()).toBe(0);
  });

  it("plans a window that comes back every week, ends it, and shows who did what", async () => {
    const { password } = await city.api("/users", { name: "otto", role: "operator" });
    for (const [sensorId, district] of [
      ["quay-1", "harbour"],
      ["market-1", "centre"],
    ])
      await city.api("/devices", { sensorId, kind: "air", district });
    const page = await open("silences", { token: password });
    expect(await page.getByRole("link", { name: "Users" }).count()).toBe(0);
    await page.getByRole("button", { name: "Add a silence" }).click();
    await page.getByLabel("Reason").fill("New firmware <b>at night</b>");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("small.wrong").getByText("at least one matcher").waitFor();
    await page.getByLabel("District").fill("harbor, centre");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator("small.wrong").getByText('There is no district "harbor"; did you mean "harbour"?').waitFor();
    await page.getByLabel("District").fill("harbour, centre");
    await page.getByText("Covers 2 sensors and 0 open alerts now.").waitFor();
    await shoot(page, "admin-silences-form");
    await page.getByLabel("Type", { exact: true }).selectOption("maintenance");
    await page.getByLabel("Repeat every week").check();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator(".group small.wrong").getByText("name at least one day").waitFor();
    await shoot(page, "admin-silences-wrong");
    await page.getByLabel("Sun").check();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    const card = page.getByRole("listitem").filter({ hasText: "New firmware <b>at night</b>" });
    await card.getByText("Sun, 22:00 to 04:00 (Europe/Madrid)").waitFor();
    await card.getByText("District: harbour, centre").waitFor();
    await shoot(page, "admin-silences");
    await card.getByRole("button", { name: "End" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
    await page.getByText("No silences: every alert notifies people.").waitFor();
    await page.getByRole("link", { name: "Show ended" }).click();
    await page.getByText(/ended by otto/).waitFor();

    await page.getByRole("link", { name: "Audit log" }).click();
    await page.getByRole("row", { name: /otto.*silence.end/ }).waitFor();
    expect(await page.getByRole("button", { name: "Verify the log" }).count()).toBe(0);
    const admin = await open("audit");
    await admin.getByRole("button", { name: "Verify the log" }).click();
    await admin.getByText(/All \d+ entries are unchanged/).waitFor();
    await shoot(admin, "admin-audit");
  });

  it("pages through a long log", async () => {
    for (let i = 0; i < 30; i += 1) {
      await city.api("/users", { name: `temp-${i}`, role: "viewer" });
      await city.api(`/users/temp-${i}`, undefined, "DELETE");
    }
    const page = await open("audit");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(50);
    await page.getByRole("button", { name: "Show older" }).click();
    await expect.poll(() => page.locator("tbody tr").count()).toBeGreaterThan(60);

    await page.getByRole("searchbox").fill("TEMP-7");
    await expect.poll(() => page.locator("tbody tr").count()).toBe(2);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Export as CSV" }).click(),
    ]);
    const exported = readFileSync(await download.path(), "utf8")
      .trim()
      .split("\n");
    expect(exported.map((line) => /temp-7/.test(line))).toEqual([false, true, true]);
    await page.getByRole("searchbox").fill("nobody did this");
    await page.getByText("No entry is like that.").waitFor();
  });

  it("is not there for viewers", async () => {
    const { password } = await city.api("/users", { name: "vera", role: "viewer" });
    const opened = await visit(city, { token: password });
    visits.push(opened);
    await opened.goTo("/admin");
    await opened.page.getByText("Page not found").waitFor();
    expect(await opened.page.getByRole("link", { name: "Admin" }).count()).toBe(0);
  });

  const TABS = ["users", "sensors", "districts", "targets", "silences", "audit"];
  it("can be used by everyone with its forms open, and looks well in each theme", { tags: ["long"] }, async () => {
    const page = await open("users");
    for (const tab of TABS) {
      await page.goto(`/admin?tab=${tab}`);
      await page.locator("table, .card, .note").first().waitFor();
      if (tab !== "audit") await page.locator(".section-head .button").first().click();
      await expectAccessible(page);
      for (const theme of ["light", "dark", "contrast"]) {
        await page.evaluate((chosen) => document.documentElement.setAttribute("data-theme", chosen), theme);
        await shoot(page, `admin-${tab}-${theme}`);
      }
    }
  });

  it("fits a phone, in German and Spanish, too", { tags: ["long"] }, async () => {
    for (const language of ["de-DE", "es-ES"]) {
      const page = await open("users", { size: "phone", touch: true, language });
      for (const tab of TABS) {
        await page.goto(`/admin?tab=${tab}`);
        await page.locator("table, .card, .note").first().waitFor();
        const add = page.locator(".section-head .button");
        if (tab !== "audit") await add.first().tap();
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
        await shoot(page, `admin-${tab}-${language}-phone`);
      }
    }
  });
});

/** The name of the field that has the focus. */
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute("name"));

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { aBrowser, startPushServer } from "../alerts/notify/push-server.ts";
import { alarm } from "./alarms.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { useSite } from "./site.ts";

/** The push service of the browser's maker is not ours to ask: ours takes its place, and what it gets is handed to the browser. */
describe.runIf(HAS_BROWSER)("being told in person", () => {
  let server: Awaited<ReturnType<typeof startPushServer>>;
  const site = useSite(async () => {}, { env: { LAMPPOST_NOTIFY_ALLOW: "127.0.0.1" } });
  const browser = aBrowser();
  beforeAll(async () => {
    server = await startPushServer();
  });
  afterAll(() => server.close());
  const opened = () => server.pushed.map(({ body }) => JSON.parse(browser.open(body)));
  const until = (check: () => void) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

  it("sets this browser up, tests it, tells of an alert, which its worker shows, and forgets it", async () => {
    const { page, context, goTo, complaints, close } = await site.visit();
    await context.grantPermissions(["notifications"]);
    await context.addInitScript(
      ({ endpoint, keys }) => {
        Object.assign(PushManager.prototype, {
          getSubscription: async () => null,
          subscribe: async (options: { applicationServerKey: Uint8Array }) => {
            Object.assign(window, { subscribedTo: options.applicationServerKey.length });
            return { toJSON: () => ({ endpoint, keys }) };
          },
        });
      },
      { endpoint: `${server.url}/send/phone`, keys: browser.keys },
    );
    await goTo("/account");
    await page.getByRole("button", { name: "Set up this browser" }).click();
    await page.getByRole("button", { name: /^Forget: / }).waitFor();
    expect(await page.evaluate(() => (window as { subscribedTo?: number }).subscribedTo)).toBe(65);
    await page.getByLabel("Push to my browsers").waitFor();
    expect(await page.getByLabel("Push to my browsers").isChecked()).toBe(true);
    await page.getByRole("button", { name: "Send me a test" }).click();
    await page.getByText("Sent. It should appear in a moment.").waitFor();
    expect(opened()[0].title).toContain("This is a test");
    await expectAccessible(page);

    await alarm(site.city, "air-1", 5);
    await until(() => expect(opened().some(({ title }) => title.includes("Battery nearly empty"))).toBe(true));
    const told = opened().find(({ title }) => title.includes("Battery nearly empty"));
    expect(told).toMatchObject({ again: true, lang: "en" });

    // What arrived, as the push service would hand it to the browser: its worker shows it.
    const session = await context.newCDPSession(page);
    const registered = new Promise<string>((resolve) => {
      session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
        if (registrations[0]) resolve(registrations[0].registrationId);
      });
    });
    await session.send("ServiceWorker.enable");
    const origin = new URL(site.city.http).origin;
    await session.send("ServiceWorker.deliverPushMessage", {
      origin,
      registrationId: await registered,
      data: JSON.stringify(told),
    });
    const shown = () =>
      page.evaluate(async () => {
        const { active } = await navigator.serviceWorker.ready;
        const all = await (await navigator.serviceWorker.ready).getNotifications();
        return active && all.map(({ title, tag, data }) => ({ title, tag, path: data.path }));
      });
    await expect.poll(shown).toEqual([{ title: told.title, tag: told.tag, path: told.path }]);

    const [{ id }] = (await site.city.api("/alerts?rule=battery-level")).items;
    expect(told.tag).toBe(id);
    await page.getByRole("button", { name: /^Forget: / }).click();
    await page.getByRole("button", { name: /^Forget: / }).waitFor({ state: "detached" });
    expect((await site.city.api("/session/notifications")).browsers).toEqual([]);
    expect(complaints.filter((one) => !one.includes(server.url))).toEqual([]);
    await close();
  });

  it("keeps what one wishes, refuses what makes no sense, and looks well on a phone", async () => {
    const { page, goTo, close } = await site.visit({ size: "phone", touch: true });
    await goTo("/account");
    await page.getByLabel("I am on call: tell me").uncheck();
    await page.getByLabel("Where").selectOption("mine");
    await page.getByRole("textbox", { name: "From" }).or(page.getByLabel("From")).first().fill("22:00");
    await page.getByLabel("To", { exact: true }).fill("06:00");
    await page.getByRole("button", { name: "Save" }).click();
    await vi.waitFor(async () =>
      expect((await site.city.api("/session/notifications")).wishes).toMatchObject({
        onCall: false,
        mine: true,
        quietHours: { from: "22:00", to: "06:00" },
      }),
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await shoot(page, "account-phone");
    await close();
    const wide = await site.visit();
    await wide.goTo("/account");
    await wide.page.getByRole("heading", { name: "Tell me about alerts" }).waitFor();
    await wide.page.getByRole("group", { name: "Quiet hours" }).waitFor();
    await expectEachTheme(wide.page, "account");
    await wide.close();
  });
});

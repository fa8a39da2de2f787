import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type City, startCity } from "../helpers/city.ts";
import { alarm } from "./alarms.ts";
import { closeVisits, expectAccessible, expectEachTheme, HAS_BROWSER, shoot, visit } from "./browser.ts";

describe.runIf(HAS_BROWSER)("signing in", () => {
  let city: City;
  beforeAll(async () => {
    city = await startCity({ env: { LAMPPOST_PUBLIC_PAGE: "on" } });
  });
  afterAll(async () => {
    await closeVisits();
    await city?.remove();
  });

  it("looks well in each theme and can be used by everyone", async () => {
    const { page, goTo, complaints, close } = await visit(city);
    await goTo("/");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await expectEachTheme(page, "sign-in");
    expect(complaints).toEqual([]);
    await close();
  });

  it("says what is wrong beside the form, and lets in who is right", async () => {
    const { username, password } = await city.api("/users", { name: "olga", role: "operator" });
    const { page, goTo, close } = await visit(city);
    await goTo("/");
    await page.getByLabel("Name", { exact: true }).fill(username);
    await page.locator("input[name=password]").fill("a guess");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("The name or the password is wrong.").waitFor();
    await page.getByLabel("Name", { exact: true }).fill("Not An Id");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("small.wrong").getByText("An id is").waitFor();
    await expectAccessible(page);
    await shoot(page, "sign-in-wrong");
    await page.getByLabel("Name", { exact: true }).fill(username);
    await page.locator("input[name=password]").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("All quiet").waitFor();
    await close();
  });

  it("chooses a password of one's own, and signs out", async () => {
    const { password } = await city.api("/users", { name: "petra", role: "crew" });
    const { page, goTo, close } = await visit(city, { token: password });
    await goTo("/account");
    const form = page.locator("form").filter({ has: page.locator("input[name=current]") });
    await form.locator("input[name=current]").fill(password);
    await form.locator("input[name=next]").fill("petra-is-my-name");
    await form.getByRole("button").click();
    await page.locator("small.wrong").getByText("The password must not contain the user name.").waitFor();
    await form.locator("input[name=next]").fill("correct horse battery");
    await form.getByRole("button").click();
    await page.getByText("Password changed.").waitFor();
    await expectAccessible(page);
    await shoot(page, "account");
    await page.locator("summary").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Name", { exact: true }).fill("petra");
    await page.locator("input[name=password]").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Account" }).waitFor();
    await close();
  });

  it("shows the city to anyone where that is switched on, without people and crews' warnings", async () => {
    await alarm(city, "public-1", 5);
    const { page, goTo, complaints, close } = await visit(city);
    await goTo("/");
    await page.getByRole("link", { name: "See the city without signing in" }).click();
    await page.getByRole("heading", { name: "The city now" }).waitFor();
    await page.getByText("Nothing needs attention.").waitFor();
    expect(await page.locator("main").textContent()).not.toContain("public-1");
    await expectAccessible(page);
    await shoot(page, "city");
    expect(complaints).toEqual([]);
    await close();
  });
});

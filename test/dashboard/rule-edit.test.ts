import { describe, expect, it } from "vitest";
import { expectAccessible, HAS_BROWSER, shoot } from "./browser.ts";
import { change, RULE, textOf, useRuleEditor, writtenIn } from "./rule-history.ts";

describe.runIf(HAS_BROWSER)("editing a rule", () => {
  const { site, open, openEditor } = useRuleEditor();

  it("says what is wrong beside the line while one types", async () => {
    const { page, text, complaints, close } = await openEditor();
    await page.getByText("No mistakes.").waitFor();
    await change(page, "above: 150", "above: high\n      abov: 3");
    await page.getByRole("button", { name: /^8:14 condition.above: .*expected number/ }).waitFor();
    const stranger = page.getByRole("button", { name: /^9:7 condition: "abov" is not known here: remove it/ });
    await stranger.click();
    await page.keyboard.type("#");
    expect(await writtenIn(text)).toContain("high\n      #abov: 3");
    await page.keyboard.press("Backspace");
    expect(await page.getByRole("button", { name: "Try it" }).isDisabled()).toBe(true);
    await change(page, "above: high\n      abov: 3", "above: 100");
    await page.getByText("Fires when the hourly mean of nitrogen dioxide is above 100 µg/m³.").waitFor();
    await change(page, `id: ${RULE}`, "id: another");
    await page.getByRole("button", { name: /^2:5 the id stays/ }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("completes keys and values by the schema of the rules", async () => {
    const { page, text, complaints, close } = await openEditor();
    await text.focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("    adv");
    // By the pointer: a key within 75 ms of the list's opening is taken for typing.
    await page.getByRole("option", { name: "advice" }).click();
    await expect.poll(() => writtenIn(text)).toMatch(/\n {4}advice: $/);
    expect(complaints).toEqual([]);
    await close();
  });

  it("is tried on history, then beside the rule, then takes its place; and goes back to the file", async () => {
    const { page, close } = await openEditor();
    await change(page, "above: 150", "above: 100");
    await page.getByLabel("1 day").check();
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("1 added, 0 removed, 0 moved, 2 the same").waitFor();
    expect(await page.getByRole("row", { name: "Alerts 2 3" }).count()).toBe(1);
    expect(await page.locator(".lane .bar.added").count()).toBe(1);
    await page.getByText("The alerts as a table").click();
    await page.getByRole("row", { name: /Station <b>air-2<\/b> added – / }).waitFor();

    await page.getByRole("textbox", { name: "Reason" }).fill("Schools nearby");
    await page.getByRole("button", { name: "Save as a shadow" }).click();
    await page.waitForURL(`**/rules/${RULE}-try`);
    await page.getByText("This is a trial of").waitFor();
    await page.getByText("Backtest: 3 alerts, 3 a day").waitFor();
    await page.locator(".rule-versions").getByText("ana changed it").waitFor();
    expect(await site.city.api(`/rules/${RULE}`)).toMatchObject({ mode: "live", condition: { above: 150 } });

    await page.getByRole("button", { name: `Replace ${RULE}` }).click();
    await page.getByLabel("Reason").fill("A quiet week");
    await page
      .locator("form")
      .getByRole("button", { name: `Replace ${RULE}` })
      .click();
    await page.waitForURL(`**/rules/${RULE}`);
    await page.getByText("above 100 µg/m³").first().waitFor();
    expect(await site.city.api(`/rules/${RULE}`)).toMatchObject({ mode: "live", condition: { above: 100 } });
    expect((await site.city.call(`/api/v1/rules/${RULE}-try`)).status).toBe(404);

    const revert = async (reason: string) => {
      await page.getByRole("button", { name: "Revert to the file's version" }).click();
      await page.getByLabel("Reason").fill(reason);
      await page.locator("form").getByRole("button", { name: "Revert to the file's version" }).click();
      await page.getByText("above 150 µg/m³").first().waitFor();
    };
    await revert("The holidays are over");
    await page.locator(".rule-versions").getByText("The holidays are over").waitFor();

    // What was replaced is one press away, and going back is a version of its own.
    await page
      .getByRole("button", { name: /^Back to the version of/ })
      .first()
      .click();
    await page.getByText("above 100 µg/m³").first().waitFor();
    await page
      .locator(".rule-versions")
      .getByText(/back to the version of .* by ana/)
      .waitFor();
    await revert("Once more");
    await close();
  });

  it("does not overwrite what somebody else changed: it says who and why, and goes on over that", async () => {
    const { page, close } = await openEditor("eu-so2");
    await change(page, "above: 275", "above: 250");
    const { version: _, state: _1, stats: _2, file: _3, ...rule } = await site.city.api("/rules/eu-so2");
    await site.city.api("/rules/eu-so2", { rule: { ...rule, advice: "Ask the harbour" }, reason: "New ship" }, "PUT");
    await page.getByLabel("Replace the current rule").check();
    await page.getByLabel("Save without trying").check();
    await page.getByRole("textbox", { name: "Reason" }).fill("Stricter");
    await page.getByRole("button", { name: "Save the rule" }).click();
    await page
      .getByRole("alert")
      .filter({ hasText: /admin changed it at .*: New ship/ })
      .waitFor();
    await page.getByText("The current rule", { exact: true }).click();
    await page.getByRole("region", { name: "The current rule" }).getByText("Ask the harbour").waitFor();
    await expectAccessible(page);
    await shoot(page, "rule-edit-conflict");
    await page.getByRole("button", { name: "Keep mine over theirs" }).click();
    await page.getByRole("button", { name: "Save the rule" }).click();
    await page.waitForURL("**/rules/eu-so2");
    expect(await site.city.api("/rules/eu-so2")).toMatchObject({
      condition: { above: 250 },
      changed: { by: "ana" },
    });
    await close();
  });

  it("makes a new rule from a template, as a shadow, and live with what it would have said", async () => {
    const { page, close } = await open("/rules");
    await page.getByRole("link", { name: "New rule" }).click();
    await page.getByLabel("Start from").selectOption("mean");
    expect(new URL(page.url()).search).toBe("?from=mean");
    await change(page, "id: my-rule", "id: eu-o3");
    await page.getByLabel("Save without trying").check();
    await page.getByRole("textbox", { name: "Reason" }).fill("Asked for by the council");
    await page.getByRole("button", { name: "Save the rule" }).click();
    await page.getByRole("alert").filter({ hasText: 'There is a rule "eu-o3"' }).waitFor();
    await change(page, "id: eu-o3", "id: council-no2");
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("Nobody would have been notified").waitFor();
    await page.getByText("It runs as a shadow and notifies nobody until someone makes it live.").waitFor();
    await page.getByRole("button", { name: "Save the rule" }).click();
    await page.waitForURL("**/rules/council-no2");
    await page.getByRole("button", { name: "Make it live" }).click();
    await page.getByText("As a shadow it would have raised 0 alerts so far.").waitFor();
    await page.getByLabel("Reason").fill("The council agreed");
    await page.locator("form").getByRole("button", { name: "Make it live" }).click();
    await page.getByText("Notifies the operators.").waitFor();
    await page.getByRole("button", { name: "Remove the rule" }).click();
    await page.getByLabel("Reason").fill("It was a test");
    await page.locator("form").getByRole("button", { name: "Remove the rule" }).click();
    await page.waitForURL("**/rules");
    await close();
  });

  it("asks before unsaved changes are left, and brings them back after a reload", async () => {
    const { page, close } = await open(`/rules/${RULE}`);
    const text = textOf(page);
    await page.getByRole("link", { name: "Edit a copy" }).click();
    await change(page, "above: 150", "above: 120");
    const asked: string[] = [];
    page.on("dialog", (dialog) => {
      asked.push(dialog.type());
      void (asked.length <= 2 ? dialog.dismiss() : dialog.accept());
    });
    await page.getByRole("link", { name: "Back to the rule" }).click();
    await page.goBack();
    await expect.poll(() => asked).toEqual(["confirm", "confirm"]);
    // The browser was there for a moment before it was asked to stay.
    await expect.poll(() => new URL(page.url()).pathname).toBe(`/rules/${RULE}/edit`);
    expect(await writtenIn(text)).toContain("above: 120");
    await page.reload();
    await page.getByText("Your unsaved changes were restored.").waitFor();
    expect(await writtenIn(text)).toContain("above: 120");
    await page.getByRole("button", { name: "Start over" }).click();
    expect(await writtenIn(text)).toContain("above: 150");
    await page.getByRole("link", { name: "Back to the rule" }).click();
    await page.getByText("The last 30 days").waitFor();
    expect(asked).toEqual(["confirm", "confirm", "beforeunload"]);
    await close();
  });

  it("can be done by keyboard alone: Tab indents, and after Escape it goes on", async () => {
    const { page, text, close } = await openEditor();
    await text.focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("    advice: >");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Close the windows");
    expect(await writtenIn(text)).toMatch(/\n {4}advice: >\n {8}Close the windows$/);
    await page.getByText("No mistakes.").waitFor();
    await page.keyboard.press("Escape");
    for (const name of ["7 days", "Try it"]) {
      await page.keyboard.press("Tab");
      expect(await page.evaluate(() => document.activeElement?.closest("label, button")?.textContent)).toBe(name);
    }
    await page.keyboard.press("Enter");
    await page.getByText("0 added, 0 removed, 0 moved, 2 the same").waitFor();
    await page.getByRole("radio", { name: /Try it beside/ }).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    await page.keyboard.type("What to do");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/rules/${RULE}`);
    await page.getByText("Close the windows").filter({ visible: true }).first().waitFor();
    await close();
  });

  it("waits for a long look back only as long as somebody wants to, and says who else is trying something", async () => {
    const { page, close } = await openEditor();
    const asked = Promise.withResolvers<void>();
    await page.route("**/backtest", () => asked.resolve());
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByText("Running the current rule over history").waitFor();
    await asked.promise;
    const ended = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/backtest"));
    await page.getByRole("button", { name: "Stop" }).click();
    await ended;
    await page.getByText("See what it would have raised").waitFor();
    await page.unroute("**/backtest");
    const busy = { status: 409, contentType: "application/problem+json" };
    await page.route("**/backtest", (route) =>
      route.fulfill({ ...busy, body: '{"detail":"Bo is running a backtest."}' }),
    );
    await page.getByRole("button", { name: "Try it" }).click();
    await page.getByRole("alert").filter({ hasText: "Bo is running a backtest." }).waitFor();
    await close();
  });
});

import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { type City, until } from "../helpers/city.ts";
import type { VisitOptions } from "./browser.ts";
import { useSite } from "./site.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const STEP_MS = 10 * MINUTE_MS;

/** The rule that these readings are about. */
export const RULE = "eu-no2";

/**
 * Twelve hours of two stations, one value in ten minutes, that end two hours ago: nitrogen dioxide above 150 twice at the
 * first one (for an hour, then for two), and once above 100 at the second. Answers the two alerts that come of it.
 */
export async function raiseNo2({ api }: City, now = Date.now()): Promise<{ id: string }[]> {
  for (const sensorId of ["air-1", "air-2"]) {
    await api("/devices", { sensorId, kind: "air", district: "centre", name: `Station <b>${sensorId}</b>` });
  }
  const end = Math.floor(now / HOUR_MS) * HOUR_MS - 2 * HOUR_MS;
  const readings = Array.from({ length: 12 * 6 }, (_, i) => {
    const measuredAt = new Date(end - 12 * HOUR_MS + i * STEP_MS).toISOString();
    const hour = Math.floor(i / 6);
    const no2 = hour === 2 || hour === 6 || hour === 7 ? 170 + (i % 5) : 40 + (i % 7);
    return [
      { sensorId: "air-1", kind: "air", district: "centre", measuredAt, no2, battery: 80 },
      { sensorId: "air-2", kind: "air", district: "centre", measuredAt, no2: hour === 4 ? 120 : 30 + (i % 3) },
    ];
  });
  await api("/readings", readings.flat());
  const path = `/alerts?rule=${RULE}&state=firing,resolved`;
  const { items } = await until(
    () => api(path),
    (found) => found.items.length >= 2,
  );
  return items;
}

export const textOf = (page: Page, label = "The rule as YAML") => page.getByRole("textbox", { name: label });

/** What stands in the editor: its lines, each an element. */
export async function writtenIn(text: Locator): Promise<string> {
  await text.waitFor();
  return (await text.locator(".cm-line").allTextContents()).join("\n");
}

/** As somebody who selects all and pastes would, so that the page checks it. */
export async function change(page: Page, from: string, to: string, label?: string): Promise<void> {
  const text = textOf(page, label);
  const before = await writtenIn(text);
  expect(before).toContain(from);
  await text.focus();
  await page.keyboard.press("Control+a");
  await text.evaluate(
    (content, pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", pasted);
      content.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    },
    before.replace(from, to),
  );
}

/** A city with that history, and the pages of its rules as an operator sees them. */
export function useRuleEditor() {
  let operator: string;
  const site = useSite(async (city) => {
    await raiseNo2(city);
    operator = (await city.api("/users", { name: "ana", role: "operator" })).password;
  });

  async function open(path: string, options: VisitOptions = {}) {
    const visited = await site.visit({ token: operator, ...options });
    await visited.goTo(path);
    return visited;
  }
  async function openEditor(id = RULE, options: VisitOptions = {}) {
    const visited = await open(`/rules/${id}/edit`, options);
    await visited.page.getByText("No mistakes.").or(visited.page.getByText("Keine Fehler.")).waitFor();
    return { ...visited, text: textOf(visited.page) };
  }
  return { site, open, openEditor };
}

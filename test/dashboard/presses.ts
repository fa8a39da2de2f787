import type { Page } from "playwright-core";

/**
 * Counts what a person does with finger or mouse: each press of a button, link, field or box, and each choice from a list
 * (which opens and closes by itself). Typing is no press. Of this page, also through reloads.
 */
export async function countPresses(page: Page): Promise<{ count(): number }> {
  let presses = 0;
  await page.exposeFunction("countPress", () => {
    presses += 1;
  });
  await page.addInitScript(count);
  await page.evaluate(count);
  return { count: () => presses };
}

function count(): void {
  const { countPress } = window as unknown as { countPress: () => void };
  // Lists are chosen from without a pointer by the debugger, and by one press that opens them for a person.
  addEventListener(
    "pointerdown",
    ({ isTrusted, target }) => {
      if (isTrusted && !(target as Element).closest?.("select")) countPress();
    },
    true,
  );
  addEventListener(
    "change",
    ({ target }) => {
      if (target instanceof HTMLSelectElement) countPress();
    },
    true,
  );
}

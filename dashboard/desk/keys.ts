import { mayHandle } from "../shell/session.ts";
import type { Desk } from "./desk-state.ts";

/** The keys of the desk; none while someone types, or together with Ctrl, Alt or the like. Returns how to stop. */
export function listenToKeys(desk: Desk, showHelp: () => void): () => void {
  const keys: Readonly<Record<string, () => unknown>> = {
    j: () => desk.move(1),
    k: () => desk.move(-1),
    x: () => mayHandle.peek() && desk.current.peek() && desk.toggle(desk.current.peek()!),
    a: () => mayHandle.peek() && void acknowledge(desk),
    n: desk.refresh,
    "/": () => document.querySelector<HTMLElement>("#desk-search")?.focus(),
    "?": showHelp,
    Enter: desk.openCurrent,
  };

  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target as HTMLElement;
    const typing = target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]");
    if (event.key === "Escape" && target.id === "desk-search") return target.blur();
    if (typing || (event.key === "Enter" && target !== document.body)) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}

async function acknowledge(desk: Desk): Promise<void> {
  const selected = [...desk.selected.peek()];
  const current = desk.current.peek();
  if (selected.length > 0) await desk.acknowledge(selected);
  else if (current !== undefined) await desk.acknowledge([current]);
}

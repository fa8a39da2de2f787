/** Calls `close` when someone presses outside of the box, or Escape (`byKey`: then the focus should go back). */
export function whenDismissed(box: () => Element | null, close: (byKey: boolean) => void): () => void {
  const onPointer = (event: Event) => {
    if (!box()?.contains(event.target as Node)) close(false);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") close(true);
  };
  document.addEventListener("pointerdown", onPointer);
  document.addEventListener("keydown", onKey);
  return () => {
    document.removeEventListener("pointerdown", onPointer);
    document.removeEventListener("keydown", onKey);
  };
}

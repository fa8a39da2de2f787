/** Rows beyond each edge that are in the document, too, so that quick scrolling shows no holes. */
const BEYOND = 6;

/** The rows `[first, last)` of equal height that are in sight. */
export function windowOf(view: { top: number; height: number }, rowPx: number, rows: number) {
  const first = Math.max(0, Math.min(rows, Math.floor(view.top / rowPx)) - BEYOND);
  const last = Math.min(rows, Math.ceil((view.top + view.height) / rowPx) + BEYOND);
  return { first, last: Math.max(first, last) };
}

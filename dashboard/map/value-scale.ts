/** Of a value's colour: five steps from low to high that also differ in lightness (after viridis), for light grounds and for dark ones. */
export const STEPS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"] as const;

/** The step of a value between the lowest and the highest shown. */
export function stepOf(value: number, low: number, high: number): number {
  if (high <= low) return 2;
  return Math.max(0, Math.min(STEPS.length - 1, Math.floor(((value - low) / (high - low)) * STEPS.length)));
}

/** Between which values the colours lie: one sensor that has gone mad does not make all others alike. */
export function rangeOf(values: readonly number[]): { readonly low: number; readonly high: number } | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return sorted.length < 20 ? { low: sorted[0]!, high: sorted.at(-1)! } : { low: at(0.02), high: at(0.98) };
}

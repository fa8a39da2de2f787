import { language } from "../shell/preferences.ts";

/** "0.4", "12", "2,340": as many digits as one can follow. */
export function formatRate(perSecond: number): string {
  const digits = perSecond >= 10 || perSecond === 0 ? 0 : 1;
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(perSecond);
}

export const formatCount = (count: number): string => new Intl.NumberFormat(language.value).format(count);

const STEPS = [
  [1024 ** 3, "GiB"],
  [1024 ** 2, "MiB"],
  [1024, "KiB"],
] as const;

/** "3.2 MiB", "812 B". */
export function formatBytes(bytes: number): string {
  const [size, unit] = STEPS.find(([step]) => bytes >= step) ?? [1, "B"];
  const digits = size === 1 || bytes / size >= 100 ? 0 : 1;
  return `${new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(bytes / size)} ${unit}`;
}

/** "14:03:07" in the viewer's zone: readings come too fast for minutes. */
export function formatClock(at: number): string {
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(language.value, options).format(at);
}

import { language } from "../shell/preferences.ts";
import { zone } from "../words/zone.ts";

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

/** "14:03:07" on the city's clocks: readings come too fast for minutes. */
export function formatClock(at: number): string {
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
  return new Intl.DateTimeFormat(language.value, { ...options, timeZone: zone.value }).format(at);
}

const PER_LINE = 16;

/** Bytes as people read them: offset, sixteen bytes, and the characters among them. */
export function hexOf(payload: { readonly text?: string; readonly base64?: string }): string {
  const bytes = bytesOf(payload);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const part = [...bytes.subarray(at, at + PER_LINE)];
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const text = part.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${text}`);
  }
  return lines.join("\n");
}

function bytesOf({ text, base64 }: { readonly text?: string; readonly base64?: string }): Uint8Array {
  if (text !== undefined) return new TextEncoder().encode(text);
  return Uint8Array.from(atob(base64 ?? ""), (character) => character.charCodeAt(0));
}

/** Where everything ended that was received: the terms of the identity, in its order. */
export const TERMS = ["stored", "duplicate", "quarantined", "shed", "lost", "inJournal"] as const;

/**
 * A moment as someone types it: with its zone (as the feed shows it), or without in the viewer's own, or epoch
 * milliseconds. Undefined if it is none.
 */
export function parseMoment(text: string): string | undefined {
  const trimmed = text.trim();
  const time = /^\d{12,14}$/.test(trimmed) ? Number(trimmed) : Date.parse(trimmed.replace(/^(\S+) (\S+)$/, "$1T$2"));
  return Number.isFinite(time) && /\d{4}/.test(trimmed) ? new Date(time).toISOString() : undefined;
}

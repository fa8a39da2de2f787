/** A mistake in a list of holidays and what to write instead; lines and columns count from 1. */
type Mistake = { readonly line: number; readonly column: number; readonly message: string };

type Holidays = { readonly holidays: readonly string[]; readonly mistakes: readonly Mistake[] };

const DAYS_MAX = 400;
const MISTAKES_MAX = 20;
const FORM = "write 12-25 for every year or 2026-04-06 for one";

/**
 * Days like Sundays: "12-25" of every year, or "2026-04-06". One after a comma or on a line of its own, a name behind it
 * if one likes ("12-25 Christmas"); from # on a line is a comment.
 */
export function parseHolidays(text: string): Holidays {
  const holidays = new Set<string>();
  const mistakes: Mistake[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    let from = 0;
    for (const part of line.replace(/#.*/, "").split(",")) {
      const day = part.trim().split(/\s/, 1)[0]!;
      const column = from + part.length - part.trimStart().length + 1;
      from += part.length + 1;
      if (day === "") continue;
      const message = holidays.size >= DAYS_MAX ? `at most ${DAYS_MAX} days are allowed` : wrongIn(day);
      if (message === undefined) holidays.add(day);
      else if (mistakes.length < MISTAKES_MAX) mistakes.push({ line: index + 1, column, message });
    }
  }
  return { holidays: [...holidays], mistakes };
}

function wrongIn(day: string): string | undefined {
  const named = `"${day.slice(0, 40)}"`;
  const match = /^(?:(\d{4})-)?(\d{2})-(\d{2})$/.exec(day);
  if (match && isDay(Number(match[1] ?? 2024), Number(match[2]), Number(match[3]))) return undefined;
  if (match) return `there is no day ${named}; ${FORM}, month before day`;
  const [, date, month, year] = /^(\d{1,2})\.(\d{1,2})\.(\d{4})?$/.exec(day) ?? [];
  const meant = [year, month?.padStart(2, "0"), date?.padStart(2, "0")].filter((one) => one !== undefined).join("-");
  return date === undefined ? `${named} is no day; ${FORM}` : `${named} is no day; write ${meant}`;
}

/** 2024, a leap year, stands for every year. */
function isDay(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

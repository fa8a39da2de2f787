import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { parseHolidays } from "../model/holidays.ts";

const HOLIDAYS_BYTES_MAX = 65_536;

/** The days of `LAMPPOST_HOLIDAYS`: a list, or the file that holds one. What is wrong is told, with its place. */
export const holidays = z
  .string()
  .max(8_192)
  .transform((given, context) => holidaysOf(given, (message) => context.addIssue({ code: "custom", message })));

function holidaysOf(given: string, mistake: (message: string) => void): readonly string[] {
  let text = given;
  let place = "";
  // A list names no folder, a file of holidays has letters or a folder in its name before any day.
  if (!/^\s*\d[\d.,/-]*(\s|,|$)/.test(given)) {
    try {
      const { size } = statSync(given);
      if (size > HOLIDAYS_BYTES_MAX) mistake(`${given} has ${size} bytes; ${HOLIDAYS_BYTES_MAX} are allowed`);
      text = size > HOLIDAYS_BYTES_MAX ? "" : readFileSync(given, "utf8");
      place = `${given} `;
    } catch (error) {
      mistake(`${given} is no list of days (12-25, 2026-04-06) and no file: ${(error as Error).message}`);
      return [];
    }
  }
  const { holidays, mistakes } = parseHolidays(text);
  for (const { line, column, message } of mistakes) mistake(`${place}line ${line}, column ${column}: ${message}`);
  return holidays;
}

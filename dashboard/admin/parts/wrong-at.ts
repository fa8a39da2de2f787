import { ApiProblem } from "../../api/client.ts";

/** What the service says of one of these parts of the body, or of something inside it: `quietHours`, `matchers/district`. */
export function wrongAt(problem: unknown, ...parts: readonly string[]): string | undefined {
  if (!(problem instanceof ApiProblem)) return undefined;
  const found = problem.errors.find(({ pointer }) => parts.some((part) => isWithin(pointer, part)));
  return found?.detail;
}

/** What it says that none of the form's fields shows. */
export function restOf(problem: unknown, fields: readonly string[]): readonly string[] {
  if (!(problem instanceof ApiProblem)) return [];
  const others = problem.errors.filter(({ pointer }) => !fields.some((field) => isWithin(pointer, field)));
  return others.map(({ pointer, detail }) => (pointer === "" ? detail : `${pointer.slice(1)}: ${detail}`));
}

const isWithin = (pointer: string, part: string) => pointer === `/${part}` || pointer.startsWith(`/${part}/`);

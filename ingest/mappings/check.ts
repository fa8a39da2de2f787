import type { z } from "zod";
import { readBase } from "./bases.ts";
import { type MessageMapping, messageMapping } from "./schema.ts";

/** A YAML text as whoever reads YAML opens it: with places for what is wrong. */
export type OpenedText<Mistake> = {
  readonly plain: unknown;
  readonly mistakes: readonly Mistake[];
  issues(base: readonly PropertyKey[], found: readonly z.core.$ZodIssue[]): Mistake[];
};

export type CheckedMapping<Mistake> = {
  /** Only where there is no mistake; with its base under it. */
  readonly mapping?: MessageMapping;
  readonly mistakes: readonly Mistake[];
};

const MISTAKES_MAX = 100;

/** All that is wrong with a mapping, each thing where it stands; what its base and it make together is checked last. */
export function checkMapping<Mistake>(opened: OpenedText<Mistake>): CheckedMapping<Mistake> {
  if (opened.mistakes.length > 0) return { mistakes: opened.mistakes };
  const own = messageMapping.safeParse(opened.plain ?? {});
  if (!own.success) return { mistakes: opened.issues([], flat(own.error.issues)).slice(0, MISTAKES_MAX) };
  if (own.data.base === undefined) return { mapping: own.data, mistakes: [] };
  const whole = messageMapping.safeParse({ ...readBase(own.data.base), ...(opened.plain as object) });
  if (whole.success) return { mapping: whole.data, mistakes: [] };
  return { mistakes: opened.issues([], flat(whole.error.issues)).slice(0, MISTAKES_MAX) };
}

/** Of the forms a part may have, the one it comes closest to says what is wrong. */
function flat(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
    const forms = issue.errors.map((form) => flat(form as z.core.$ZodIssue[]));
    const best = forms.reduce((least, form) => (form.length < least.length ? form : least));
    return best.map((one) => ({ ...one, path: [...issue.path, ...one.path] }));
  });
}

import { SERVICE_RULES } from "../model/alert.ts";
import { nearestNames } from "../model/nearest.ts";
import { formerIds } from "../model/rule.ts";
import type { ApiDeps } from "./deps.ts";
import { ProblemError } from "./problems.ts";

type Named = "rule" | "district" | "sensor" | "gateway";
type NamesParts = {
  readonly records: Pick<ApiDeps["records"], "sensors" | "credentials" | "alerts">;
  readonly rules: ApiDeps["rules"];
};

/** Names that were given, and where they stand in the body. */
export type Given = { readonly what: Named; readonly pointer: string; readonly names: string | readonly string[] };

/**
 * Refuses names that nobody has: whom a target or a silence with a mistyped one is about nobody would notice until it is
 * too late. `former`: names that stand there already stay, whatever became of them. Throws `ProblemError`.
 */
export function refuseUnknown(parts: NamesParts, given: readonly Given[], former: ReadonlySet<string> = new Set()) {
  const all = new Map<Named, ReadonlySet<string>>();
  const isKnown = (what: Named, name: string): boolean => {
    const { sensors } = parts.records;
    // Off the register it may still have an open alert.
    if (what === "sensor") return (sensors.get(name) ?? sensors.retired(name)) !== undefined;
    const known = all.get(what) ?? new Set(namesOf(parts, what));
    all.set(what, known);
    return known.has(name);
  };
  const errors = given.flatMap(({ what, pointer, names }) => {
    const isList = typeof names !== "string";
    const list = isList ? names : [names];
    return list.flatMap((name, i) => {
      if (former.has(`${what} ${name}`) || isKnown(what, name)) return [];
      return [{ what, name, pointer: isList ? `${pointer}/${i}` : pointer }];
    });
  });
  if (errors.length === 0) return;
  // Looking through all names is not free: of the first ones it is said what may have been meant.
  const said = errors.map(({ what, name, pointer }, i) => {
    const hint = i < HINTS_MAX ? hintOf(nearestNames(name, namesOf(parts, what))) : ".";
    return { pointer, detail: `There is no ${what} "${name}"${hint}` };
  });
  throw new ProblemError("invalid-request", said[0]!.detail, { errors: said });
}

const HINTS_MAX = 5;

function hintOf(near: readonly string[]): string {
  if (near.length === 0) return ".";
  const quoted = near.map((name) => `"${name}"`);
  const last = quoted.pop();
  return `; did you mean ${quoted.length > 0 ? `${quoted.join(", ")} or ${last}` : last}?`;
}

function namesOf({ records: { sensors, credentials, alerts }, rules }: NamesParts, what: Named): Iterable<string> {
  switch (what) {
    case "rule":
      // A rule that is gone may still have an open alert.
      return new Set([
        ...rules().flatMap((rule) => [rule.id, ...formerIds(rule)]),
        ...SERVICE_RULES,
        ...Object.keys(alerts.countsByRule({ state: ["firing"] })),
      ]);
    case "sensor":
      return sensors.list().map(({ id }) => id);
    case "district":
      return new Set([
        ...sensors.districts().map(({ district }) => district),
        ...gateways().flatMap((one) => one.districts),
      ]);
    case "gateway":
      return new Set([
        ...gateways().map(({ name }) => name),
        ...sensors.list().flatMap(({ gateway }) => gateway ?? []),
      ]);
  }

  function gateways() {
    return credentials.list("gateway").flatMap(({ account }) => (account.role === "gateway" ? [account] : []));
  }
}

import { InvalidArgumentError } from "commander";

/** What a limit may be about; each is a number of the result. */
export type Condition = {
  readonly name: string;
  readonly compare: string;
  readonly limit: number;
  readonly text: string;
};

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
};

/** `added>0`, `removed >= 3`; given several times, each is looked at. `names`: what there is to compare. */
export function gatherFailIf(names: readonly string[]) {
  return (text: string, before: readonly Condition[] = []): readonly Condition[] => {
    const match = /^\s*([A-Za-z]+)\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
    if (!match || !names.includes(match[1]!))
      throw new InvalidArgumentError(`Such as "added>0"; it may be about ${names.join(", ")}.`);
    return [...before, { name: match[1]!, compare: match[2]!, limit: Number(match[3]), text: text.trim() }];
  };
}

/** The conditions that hold. */
export function holding(conditions: readonly Condition[], values: Readonly<Record<string, number>>): string[] {
  return conditions
    .filter(({ name, compare, limit }) => COMPARE[compare]!(values[name]!, limit))
    .map(({ text, name }) => `${text} (${name} is ${values[name]})`);
}

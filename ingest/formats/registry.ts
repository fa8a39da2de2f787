import type { Format } from "./format.ts";
import { native } from "./native.ts";

/** In the order in which they are asked whether a topic is theirs. The last takes what no other does. */
const ORDER = ["native"] as const;

type FormatName = (typeof ORDER)[number];

const FORMATS = { native } satisfies { readonly [N in FormatName]: Format<N> };

export function formatOf(topic: string): Format {
  return FORMATS[ORDER.find((name) => FORMATS[name].matches(topic))!];
}

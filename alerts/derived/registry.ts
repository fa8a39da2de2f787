import type { Derive } from "../engine/derive.ts";
import { europeanAqi } from "./european-aqi.ts";
import { particlesExcess } from "./particles-excess.ts";

/** All derived metrics there are: one line each. */
export const DERIVES: readonly Derive[] = [europeanAqi as Derive, particlesExcess as Derive];

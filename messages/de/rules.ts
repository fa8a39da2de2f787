import type { RuleTexts } from "../pack.ts";

export const rules: Readonly<Record<string, RuleTexts>> = {};

import { messages } from "../messages/messages.ts";
import type { RuleView } from "./rules-api.ts";

/** Shadow, or out of use; a rule that simply works needs no mark. */
export function ModeChip({ rule }: { rule: Pick<RuleView, "mode" | "state"> }) {
  const t = messages.value.rules;
  return (
    <>
      {rule.state === "error" && <span class="chip rule-error">{t.outOfUse}</span>}
      {rule.mode === "shadow" && (
        <span class="chip rule-shadow" title={t.modeHint.shadow}>
          {t.modes.shadow}
        </span>
      )}
    </>
  );
}

import type { RuleView } from "../../contract/rule.ts";
import { messages } from "../messages/messages.ts";

/** Shadow, or out of use; a rule that simply works needs no mark. */
export function ModeChip({ rule }: { rule: Pick<RuleView, "mode" | "state"> }) {
  const t = messages.value.rules;
  return (
    <>
      {rule.state === "error" && <span class="chip bad">{t.outOfUse}</span>}
      {rule.mode === "shadow" && (
        <span class="chip shadow" title={t.modeHint.shadow}>
          {t.modes.shadow}
        </span>
      )}
    </>
  );
}

import { useEffect, useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { writeRuleYaml } from "../rule-yaml.ts";
import { dataOf, loadRule, type RuleView } from "../rules-api.ts";
import type { Draft } from "./draft.ts";

/** Somebody else changed the rule meanwhile: who and why, what it is now, and which of the two shall go on. */
export function Conflict({ draft, said }: { draft: Draft; said: string }) {
  const t = messages.value.ruleEditor;
  const id = draft.present.peek()?.id;
  const [theirs, setTheirs] = useState<RuleView | undefined>();
  useEffect(() => {
    if (id === undefined) return;
    const leaving = new AbortController();
    loadRule(id, leaving.signal).then(setTheirs, () => {});
    return () => leaving.abort();
  }, [id, said]);
  const isOld = theirs !== undefined && theirs.version !== draft.present.value?.version;
  return (
    <div class="conflict" role="alert">
      <p>
        <strong>{said}</strong>
      </p>
      {isOld && (
        <>
          <div class="buttons">
            <button type="button" class="button" onClick={() => draft.rebase(theirs, "up")}>
              {t.takeTheirs}
            </button>
            <button type="button" class="button" onClick={() => draft.rebase(theirs, "on")}>
              {t.keepMine}
            </button>
          </div>
          <details>
            <summary>{t.theirs}</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
            <section class="yaml" tabIndex={0} aria-label={t.theirs}>
              <pre>{writeRuleYaml(dataOf(theirs))}</pre>
            </section>
          </details>
        </>
      )}
    </div>
  );
}

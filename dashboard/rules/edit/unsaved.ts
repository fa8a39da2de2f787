import { useEffect } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { guardLeaving } from "../../shell/router.ts";

/** Asks before anybody leaves with unsaved changes: by closing the tab, by a link, or back and forward. */
export function useUnsavedWarning(isDirty: () => boolean): void {
  useEffect(() => {
    const openGate = guardLeaving(() => !isDirty() || confirm(messages.peek().ruleEditor.leave));
    function onUnload(event: BeforeUnloadEvent): void {
      if (isDirty()) event.preventDefault();
    }
    addEventListener("beforeunload", onUnload);
    return () => {
      openGate();
      removeEventListener("beforeunload", onUnload);
    };
  }, []);
}

import { useEffect } from "preact/hooks";
import { messages } from "../../messages/messages.ts";

/** Asks before anybody leaves with unsaved changes: by closing the tab, by a link, or back and forward. */
export function useUnsavedWarning(isDirty: () => boolean): void {
  useEffect(() => {
    const here = location.href;
    const stays = () => isDirty() && !confirm(messages.peek().ruleEditor.leave);

    function onUnload(event: BeforeUnloadEvent): void {
      if (isDirty()) event.preventDefault();
    }
    function onClick(event: MouseEvent): void {
      const link = (event.target as Element | null)?.closest?.("a[href]");
      if (!(link instanceof HTMLAnchorElement) || link.target || event.button !== 0) return;
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || link.origin !== location.origin) return;
      if (!stays()) return;
      event.preventDefault();
      event.stopPropagation();
    }
    /** The address has changed already: it is put back before the router hears of it. */
    function onPop(event: PopStateEvent): void {
      if (!stays()) return;
      event.stopImmediatePropagation();
      history.pushState(undefined, "", here);
    }

    addEventListener("beforeunload", onUnload);
    document.addEventListener("click", onClick, { capture: true });
    addEventListener("popstate", onPop, { capture: true });
    return () => {
      removeEventListener("beforeunload", onUnload);
      document.removeEventListener("click", onClick, { capture: true });
      removeEventListener("popstate", onPop, { capture: true });
    };
  }, []);
}

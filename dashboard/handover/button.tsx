import { useEffect } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { LazyDialogButton } from "../parts/lazy.tsx";
import { loadNotes, unread } from "./notes.ts";

/** What the last shift left, with how many of its notes one has not read. */
export function HandoverButton() {
  const t = messages.value.desk;
  useEffect(() => {
    const leaving = new AbortController();
    loadNotes(leaving.signal).catch(() => {}); // opened, it says why
    return () => leaving.abort();
  }, []);
  const count = unread.value;
  return (
    <LazyDialogButton
      class={count > 0 ? "small primary" : "quiet small"}
      load={async () => (await import("./handover.tsx")).Handover}
    >
      {t.handover}
      {count > 0 && (
        <>
          {" "}
          <b aria-hidden="true">{count}</b>
          <span class="hidden">{t.unread(count)}</span>
        </>
      )}
    </LazyDialogButton>
  );
}

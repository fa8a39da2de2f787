import { useEffect, useRef, useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { sayProblem } from "../../words/problems.ts";
import { cameBack, untilOpened } from "./outcome.ts";
import type { FollowedQuarantine } from "./quarantine-state.ts";

/** Sends what is selected through all checks again, and says what became of it. */
export function RedriveBar({ followed }: { followed: FollowedQuarantine }) {
  const t = messages.value.feed.quarantine;
  const { busy, problem, attempt } = useAttempt();
  const [said, setSaid] = useState("");
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);
  const { reason } = followed.filter.value;
  const ids = [...followed.selected.value];

  async function redrive(): Promise<void> {
    const { signal } = leaving.current;
    const chosen = (followed.items.peek() ?? []).filter(({ id }) => followed.selected.peek().has(id));
    const { redriven } = await request<{ redriven: number }>("POST", "/quarantine/redrive", {
      ids: chosen.map(({ id }) => id),
    });
    followed.selected.value = new Set();
    setSaid(`${t.done(redriven)} ${t.looking}`);
    await untilOpened(signal);
    const back = await cameBack(chosen, signal);
    setSaid(`${t.done(redriven)} ${t.outcome(redriven - back.size, back.size)}`);
    await followed.reload();
  }

  /** More than are shown: what became of each is then seen in the list. */
  async function redriveAll(): Promise<void> {
    const { signal } = leaving.current;
    const { redriven } = await request<{ redriven: number }>("POST", "/quarantine/redrive", { reason });
    setSaid(t.done(redriven));
    await untilOpened(signal);
    await followed.reload();
  }

  return (
    <div class="feed-bar">
      <button
        type="button"
        class="button primary"
        disabled={busy || ids.length === 0}
        title={t.redriveHint}
        onClick={() => void attempt(redrive)}
      >
        {t.redrive(ids.length)}
      </button>
      {reason && reason !== "personal_data" && followed.next.value !== undefined && (
        <button type="button" class="button" disabled={busy} onClick={() => void attempt(redriveAll)}>
          {t.redriveAll}
        </button>
      )}
      <p class="quiet feed-state">{t.redriveHint}</p>
      <p role="status" class={said ? "note" : "hidden"}>
        {said}
      </p>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
    </div>
  );
}

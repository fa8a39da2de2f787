import type { RemovedView } from "../../contract/account.ts";
import { send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { loadAll, Problem, useLoaded } from "../parts/state.tsx";
import { Moment } from "../words/time.tsx";

type RemovedProps = {
  /** Of these only. */
  readonly among: readonly RemovedView["what"][];
  /** Looked at anew when it changes. */
  readonly round: unknown;
  readonly onUndone: () => void;
};

const SHOWN = 3;

/** What was removed within a day, each with a button that brings it back. */
export function Removed({ among, round, onUndone }: RemovedProps) {
  const { editing: t } = messages.value;
  const { found, reload } = useLoaded((signal) => loadAll<RemovedView>("/removed", signal), [round]);
  const { busy, problem, attempt } = useAttempt();
  const items = (found ?? []).filter(({ what }) => among.includes(what));
  if (items.length === 0) return null;

  async function undo({ id }: RemovedView): Promise<void> {
    await send("POST", `/removed/${id}/undo`, {});
    reload();
    onUndone();
  }

  const row = (one: RemovedView) => (
    <li key={one.id} class="cluster">
      <span>
        {t.removedWhat[one.what]} <strong>{one.name}</strong> {t.removedBy(one.by)}{" "}
        <span class="quiet">
          <Moment at={one.at} />
        </span>
      </span>
      <Button disabled={busy} aria-label={t.undoOf(one.name)} onClick={() => void attempt(() => undo(one))}>
        {t.undo}
      </Button>
    </li>
  );
  return (
    <section class="note removed" aria-label={t.removedLately}>
      <div role="status">
        <ul>{items.slice(0, SHOWN).map(row)}</ul>
      </div>
      {items.length > SHOWN && (
        <details>
          <summary>{t.moreRemoved(items.length - SHOWN)}</summary>
          <ul>{items.slice(SHOWN).map(row)}</ul>
        </details>
      )}
      <Problem of={problem} />
    </section>
  );
}

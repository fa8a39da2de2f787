import { messages } from "../../messages/messages.ts";
import { mayHandle } from "../../shell/session.ts";
import type { Desk } from "../desk-state.ts";

/** How many, what is new, what is selected. Its height does not change with what it says. */
export function ListHead({ desk, onHelp }: { desk: Desk; onHelp: () => void }) {
  const t = messages.value.desk;
  const selected = [...desk.selected.value];
  const shown = desk.shown.value;
  const filtered = Object.values(desk.filters.value).some((one) => (one instanceof Set ? one.size > 0 : one));
  return (
    <div class="list-head">
      {mayHandle.value && shown.length > 0 && <SelectAll desk={desk} />}
      {selected.length > 0 ? (
        <>
          <strong>{t.selected(selected.length)}</strong>
          <button type="button" class="button primary" onClick={() => void desk.acknowledge(selected)}>
            {t.acknowledgeAll(selected.length)}
          </button>
        </>
      ) : (
        <span class="quiet" role="status">
          {t.count(shown.length, desk.open.value.length)}
        </span>
      )}
      {filtered && selected.length === 0 && (
        <button type="button" class="button quiet" onClick={desk.clearFilters}>
          {t.clear}
        </button>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={desk.filters.value.suppressed}
          onChange={(event) => desk.setFilters({ suppressed: event.currentTarget.checked })}
        />
        {t.suppressedToo}
      </label>
      <button type="button" class="button quiet help-button" aria-label={t.help} title={t.help} onClick={onHelp}>
        ?
      </button>
      <OutcomeNote desk={desk} />
    </div>
  );
}

function SelectAll({ desk }: { desk: Desk }) {
  const t = messages.value.desk;
  const shown = desk.shown.value;
  const all = shown.every((id) => desk.selected.value.has(id));
  const label = all ? t.selectNone : t.selectAll;
  return (
    <label class="target" title={label}>
      <input
        type="checkbox"
        aria-label={label}
        checked={all}
        onChange={() => {
          desk.selected.value = new Set(all ? [] : shown);
        }}
      />
    </label>
  );
}

/** What an acknowledgement came to: how many, and who was faster. */
function OutcomeNote({ desk }: { desk: Desk }) {
  const { desk: t, shell } = messages.value;
  const outcome = desk.outcome.value;
  if (!outcome) return null;
  const { done, refused } = outcome;
  return (
    <div class="panel outcome" role="status">
      {done > 0 && <p>{t.acknowledged(done)}</p>}
      {refused.length > 0 && (
        <>
          <p class="wrong">{t.notAcknowledged(refused.length)}</p>
          <ul>
            {refused.slice(0, 5).map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </>
      )}
      <button type="button" class="button" onClick={() => (desk.outcome.value = undefined)}>
        {shell.close}
      </button>
    </div>
  );
}

import { messages } from "../../messages/messages.ts";
import { Moment } from "../../words/time.tsx";
import { type FollowedQuarantine, mayRedrive, type QuarantineView } from "./quarantine-state.ts";

type TableProps = {
  readonly followed: FollowedQuarantine;
  readonly items: readonly QuarantineView[];
  readonly chosen: number | undefined;
  readonly choose: (id: number) => void;
};

export function QuarantineTable({ followed, items, chosen, choose }: TableProps) {
  const t = messages.value.feed.quarantine;
  const { selected, next } = followed;
  const able = items.filter(mayRedrive).map(({ id }) => id);
  const all = able.length > 0 && able.every((id) => selected.value.has(id));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
    <section class="feed-rows" tabIndex={0} aria-label={t.list}>
      <table>
        <thead>
          <tr>
            <td class="feed-check">
              <label>
                <input
                  type="checkbox"
                  aria-label={t.selectAll}
                  checked={all}
                  disabled={able.length === 0}
                  onChange={() => {
                    selected.value = new Set(all ? [] : able);
                  }}
                />
              </label>
            </td>
            <th scope="col" class="feed-reason">
              {t.reason}
            </th>
            <th scope="col">{t.detail}</th>
            <th scope="col" class="feed-topic">
              {t.topic}
            </th>
            <th scope="col" class="feed-received">
              {t.received}
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <MessageRow key={item.id} {...{ item, followed, choose }} isChosen={item.id === chosen} />
          ))}
        </tbody>
      </table>
      {next.value !== undefined && (
        <button type="button" class="button feed-more" onClick={() => void followed.more()}>
          {t.more}
        </button>
      )}
    </section>
  );
}

type RowProps = {
  readonly item: QuarantineView;
  readonly followed: FollowedQuarantine;
  readonly isChosen: boolean;
  readonly choose: (id: number) => void;
};

function MessageRow({ item, followed: { selected }, isChosen, choose }: RowProps) {
  const { feed } = messages.value;
  const t = feed.quarantine;
  const { id, reason, detail, topic, receivedAt, redrivenBy } = item;
  const pick = () => choose(id);

  function toggle(): void {
    const after = new Set(selected.peek());
    if (!after.delete(id)) after.add(id);
    selected.value = after;
  }

  return (
    // The button in it does the same for the keyboard.
    <tr class={isChosen ? "chosen" : ""} onClick={pick}>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: only keeps a click on the box from choosing the row */}
      <td class="feed-check" onClick={(event) => event.stopPropagation()}>
        <label>
          <input
            type="checkbox"
            aria-label={t.select(id)}
            checked={selected.value.has(id)}
            disabled={!mayRedrive(item)}
            onChange={toggle}
          />
        </label>
      </td>
      <th scope="row" class="feed-reason">
        <button type="button" class="link" aria-pressed={isChosen} onClick={pick}>
          {feed.reasons[reason]}
        </button>
      </th>
      <td title={detail}>
        {redrivenBy !== undefined && <span class="chip">{t.redriven}</span>} {detail}
      </td>
      <td class="feed-topic" title={topic}>
        {topic}
      </td>
      <td class="feed-received">
        <Moment at={receivedAt} as="time" />
      </td>
    </tr>
  );
}

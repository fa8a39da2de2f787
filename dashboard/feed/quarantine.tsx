import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { QuarantineItemView } from "../../contract/ledger.ts";
import { isId } from "../../model/ids.ts";
import { REASON_NAMES } from "../../model/rejection.ts";
import { request, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Code, Fact } from "../parts/show.tsx";
import { Problem, useLoaded } from "../parts/state.tsx";
import { Choice, Filters } from "../parts/table.tsx";
import { setQuery } from "../shell/router.ts";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { Causes } from "./causes.tsx";
import { Decide } from "./conflict.tsx";
import { EditCopy } from "./edit-copy.tsx";
import { formatCount, hexOf } from "./formats.ts";
import { CopyButton } from "./live.tsx";
import {
  type FollowedQuarantine,
  findRequarantined,
  followQuarantine,
  mayDecide,
  mayRedrive,
  type QuarantineFilter,
  untilOpened,
} from "./quarantine-state.ts";

/** What could not become readings, and another chance for it. */
export function Quarantine() {
  const t = messages.value.feed.quarantine;
  if (!mayManage.value) return <p class="note">{t.notYours}</p>;
  return <OpenQuarantine />;
}

function OpenQuarantine() {
  const t = messages.value.feed.quarantine;
  const followed = useMemo(followQuarantine, []);
  useEffect(() => followed.close, [followed]);
  const [chosen, setChosen] = useState<number | undefined>();
  const items = followed.items.value;
  const { reason, sensor, state } = followed.filter.value;
  return (
    <>
      <p class="quiet">{t.intro}</p>
      {!reason && !sensor && !state && <Causes onChanged={followed.reload} />}
      <QuarantineFilters filter={followed.filter.value} />
      <RedriveBar followed={followed} />
      <Problem of={followed.problem.value} />
      {items?.length === 0 && <p class="note">{reason || sensor || state ? t.emptyFiltered : t.empty}</p>}
      {items !== undefined && items.length > 0 && (
        <div class="feed-split">
          <QuarantineTable followed={followed} items={items} chosen={chosen} choose={setChosen} />
          <MessageDetails id={chosen} close={() => setChosen(undefined)} onDecided={followed.reload} />
        </div>
      )}
    </>
  );
}

const STATES = ["waiting", "redriven", "dismissed"] as const;

function QuarantineFilters({ filter }: { filter: QuarantineFilter }) {
  const { feed } = messages.value;
  const t = feed.quarantine;
  const wrong = filter.sensor !== "" && !isId(filter.sensor);
  return (
    <Filters
      text={filter.sensor}
      label={t.sensor}
      hint={t.sensor}
      wrong={wrong ? t.sensorWrong : undefined}
      onText={(sensor) => setQuery({ sensor: sensor.trim() })}
    >
      <Choice
        label={t.reason}
        value={filter.reason}
        among={REASON_NAMES}
        say={(one) => feed.reasons[one]}
        onChoose={(reason) => setQuery({ reason })}
      />
      <Choice
        label={t.state}
        value={filter.state}
        among={STATES}
        say={(one) => t[one]}
        onChoose={(state) => setQuery({ state })}
      />
    </Filters>
  );
}

type TableProps = {
  readonly followed: FollowedQuarantine;
  readonly items: readonly QuarantineItemView[];
  readonly chosen: number | undefined;
  readonly choose: (id: number) => void;
};

function QuarantineTable({ followed, items, chosen, choose }: TableProps) {
  const t = messages.value.feed.quarantine;
  const { selected, next } = followed;
  const able = items.filter(mayRedrive).map(({ id }) => id);
  const all = able.length > 0 && able.every((id) => selected.value.has(id));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
    <section class="feed-rows box table" tabIndex={0} aria-label={t.list}>
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
            <MessageRow key={item.id} item={item} followed={followed} choose={choose} isChosen={item.id === chosen} />
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
  readonly item: QuarantineItemView;
  readonly followed: FollowedQuarantine;
  readonly isChosen: boolean;
  readonly choose: (id: number) => void;
};

function MessageRow({ item, followed: { selected }, isChosen, choose }: RowProps) {
  const { feed } = messages.value;
  const t = feed.quarantine;
  const { id, reason, metric, detail, topic, receivedAt, redrivenBy, decision } = item;
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
          {metric && `: ${messages.value.metrics[metric]}`}
        </button>
      </th>
      <td title={detail}>
        {redrivenBy !== undefined && <span class="chip">{decision ? t.decided[decision] : t.redriven}</span>} {detail}
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

/** One message with its payload, and what became of it. */
function MessageDetails({ id, ...more }: { id: number | undefined; close: () => void; onDecided: () => void }) {
  const { quarantine: t } = messages.value.feed;
  if (id === undefined) {
    return (
      <aside class="feed-one box quiet" aria-label={t.payload}>
        {t.payloadHint}
      </aside>
    );
  }
  return <Opened key={id} id={id} {...more} />;
}

function Opened({ id, close, onDecided }: { id: number; close: () => void; onDecided: () => void }) {
  const { live, quarantine: t } = messages.value.feed;
  const { found, problem, reload } = useLoaded((signal) => loadMessage(id, signal));
  if (!found) {
    return (
      <aside class="feed-one box chosen" aria-label={t.payload}>
        <Problem of={problem} />
      </aside>
    );
  }
  const { item, again } = found;
  return (
    <aside class="feed-one box stack chosen" aria-label={t.payload}>
      <div class="section-head">
        <h2>{t.message(item.id)}</h2>
        <Button onClick={close}>{live.close}</Button>
      </div>
      <Facts item={item} again={again} />
      {mayDecide(item) && (
        <Decide
          item={item}
          onDecided={() => {
            reload();
            onDecided();
          }}
        />
      )}
      <EditCopy
        item={item}
        onDone={() => {
          reload();
          onDecided();
        }}
      />
      <h3>{t.payload}</h3>
      <Payload item={item} />
    </aside>
  );
}

function Facts({ item, again }: { item: QuarantineItemView; again: number | undefined }) {
  const { reasons, quarantine: t } = messages.value.feed;
  return (
    <dl class="facts">
      <Fact name={t.reason}>
        {reasons[item.reason]}
        <br />
        {item.detail}
      </Fact>
      <Fact name={t.topic}>{item.topic}</Fact>
      <Fact name={t.source}>{item.source}</Fact>
      <Fact name={t.received}>
        <Moment at={item.receivedAt} as="time" />
      </Fact>
      {item.redrivenAt !== undefined && (
        <Fact name={item.decision ? t.decide.by(item.redrivenBy ?? "") : t.sentAgain(item.redrivenBy ?? "")}>
          <Moment at={item.redrivenAt} as="time" />
          <br />
          {item.because !== undefined && (
            <>
              {item.because}
              <br />
            </>
          )}
          {item.decision ? t.decided[item.decision] : again === undefined ? t.accepted : t.cameBack(again)}
        </Fact>
      )}
    </dl>
  );
}

function Payload({ item }: { item: QuarantineItemView }) {
  const t = messages.value.feed;
  const { payload, reason } = item;
  const [asHex, setAsHex] = useState(false);
  useEffect(() => setAsHex(false), [item]);
  if (reason === "personal_data") return <p class="note">{t.quarantine.personal}</p>;
  if (!payload) return <p class="note">{t.quarantine.notKept}</p>;
  const binary = payload.text === undefined;
  const text = binary || asHex ? hexOf(payload) : payload.text!;
  return (
    <>
      <div class="feed-bar cluster">
        {!binary && (
          <Button aria-pressed={asHex} onClick={() => setAsHex(!asHex)}>
            {t.quarantine.asHex}
          </Button>
        )}
        <CopyButton text={text} />
      </div>
      {binary && <p class="quiet">{t.quarantine.binary}</p>}
      <Code text={text} label={t.quarantine.payload} />
      {payload.truncated && <p class="quiet">{t.quarantine.truncated(t.bytes(formatCount(payload.bytes)))}</p>}
    </>
  );
}

/** Asked for together: a message that came back should not look accepted for a moment. */
async function loadMessage(id: number, signal: AbortSignal) {
  const item = await request<QuarantineItemView>("GET", `/quarantine/${id}`, undefined, signal);
  const again = item.redrivenAt === undefined ? undefined : (await findRequarantined([item], signal)).get(item.id);
  return { item, again };
}

/** Sends what is selected through all checks again, and says what became of it. */
function RedriveBar({ followed }: { followed: FollowedQuarantine }) {
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
    const { redriven } = await send("POST", "/quarantine/redrive", {
      ids: chosen.map(({ id }) => id),
    });
    followed.selected.value = new Set();
    setSaid(`${t.done(redriven)} ${t.looking}`);
    await untilOpened(signal);
    const back = await findRequarantined(chosen, signal);
    setSaid(`${t.done(redriven)} ${t.outcome(redriven - back.size, back.size)}`);
    await followed.reload();
  }

  /** More than are shown: what became of each is then seen in the list. */
  async function redriveAll(): Promise<void> {
    const { signal } = leaving.current;
    const { redriven } = await send("POST", "/quarantine/redrive", { reason });
    setSaid(t.done(redriven));
    await untilOpened(signal);
    await followed.reload();
  }

  return (
    <div class="feed-bar cluster">
      <Button
        class="primary"
        disabled={busy || ids.length === 0}
        title={t.redriveHint}
        onClick={() => void attempt(redrive)}
      >
        {t.redrive(ids.length)}
      </Button>
      {reason && reason !== "personal_data" && followed.next.value !== undefined && (
        <Button disabled={busy} onClick={() => void attempt(redriveAll)}>
          {t.redriveAll}
        </Button>
      )}
      <p class="quiet feed-state">{t.redriveHint}</p>
      <p role="status" class={said ? "note" : "hidden"}>
        {said}
      </p>
      <Problem of={problem} />
    </div>
  );
}

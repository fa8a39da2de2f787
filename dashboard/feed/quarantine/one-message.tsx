import { useEffect, useState } from "preact/hooks";
import { request } from "../../api/client.ts";
import { messages } from "../../messages/messages.ts";
import { sayProblem } from "../../words/problems.ts";
import { Moment } from "../../words/time.tsx";
import { CopyButton } from "../live/one-reading.tsx";
import { formatCount } from "../numbers.ts";
import { hexOf } from "./hex.ts";
import { cameBack } from "./outcome.ts";
import type { QuarantineView } from "./quarantine-state.ts";

/** One message with its payload, and what became of it. */
export function OneMessage({ id, close }: { id: number | undefined; close: () => void }) {
  const { live, quarantine: t } = messages.value.feed;
  const { item, again, problem } = useMessage(id);
  if (problem !== undefined) {
    return (
      <aside class="feed-one chosen" aria-label={t.payload}>
        <p class="wrong">{sayProblem(problem)}</p>
      </aside>
    );
  }
  if (!item) return <aside class="feed-one" aria-label={t.payload} />;
  return (
    <aside class="feed-one chosen" aria-label={t.payload}>
      <div class="section-head">
        <h2>{t.message(item.id)}</h2>
        <button type="button" class="button" onClick={close}>
          {live.close}
        </button>
      </div>
      <Facts item={item} again={again} />
      <h3>{t.payload}</h3>
      <Payload item={item} />
    </aside>
  );
}

function Facts({ item, again }: { item: QuarantineView; again: number | undefined }) {
  const { reasons, quarantine: t } = messages.value.feed;
  return (
    <dl class="feed-facts">
      <dt>{t.reason}</dt>
      <dd>
        {reasons[item.reason]}
        <br />
        {item.detail}
      </dd>
      <dt>{t.topic}</dt>
      <dd>{item.topic}</dd>
      <dt>{t.source}</dt>
      <dd>{item.source}</dd>
      <dt>{t.received}</dt>
      <dd>
        <Moment at={item.receivedAt} as="time" />
      </dd>
      {item.redrivenAt !== undefined && (
        <>
          <dt>{t.sentAgain(item.redrivenBy ?? "")}</dt>
          <dd>
            <Moment at={item.redrivenAt} as="time" />
            <br />
            {again === undefined ? t.accepted : t.cameBack(again)}
          </dd>
        </>
      )}
    </dl>
  );
}

function Payload({ item }: { item: QuarantineView }) {
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
      <div class="feed-bar">
        {!binary && (
          <button type="button" class="button" aria-pressed={asHex} onClick={() => setAsHex(!asHex)}>
            {t.quarantine.asHex}
          </button>
        )}
        <CopyButton text={text} />
      </div>
      {binary && <p class="quiet">{t.quarantine.binary}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
      <pre tabIndex={0}>{text}</pre>
      {payload.truncated && <p class="quiet">{t.quarantine.truncated(t.bytes(formatCount(payload.bytes)))}</p>}
    </>
  );
}

function useMessage(id: number | undefined) {
  const [item, setItem] = useState<QuarantineView | undefined>();
  const [again, setAgain] = useState<number | undefined>();
  const [problem, setProblem] = useState<unknown>();
  useEffect(() => {
    setItem(undefined);
    setAgain(undefined);
    setProblem(undefined);
    if (id === undefined) return;
    const leaving = new AbortController();
    const { signal } = leaving;
    const load = async () => {
      const found = await request<QuarantineView>("GET", `/quarantine/${id}`, undefined, signal);
      // Both at once: a message that came back should not look accepted for a moment.
      if (found.redrivenAt !== undefined) setAgain((await cameBack([found], signal)).get(found.id));
      setItem(found);
    };
    load().catch((error: unknown) => signal.aborted || setProblem(error));
    return () => leaving.abort();
  }, [id]);
  return { item, again, problem };
}

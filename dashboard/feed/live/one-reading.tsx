import { useEffect, useState } from "preact/hooks";
import type { ReadingView } from "../../../model/reading.ts";
import { messages } from "../../messages/messages.ts";

/** All that is known of one reading, as the API says it. */
export function OneReading({ reading, close }: { reading: ReadingView | undefined; close: () => void }) {
  const t = messages.value.feed.live;
  if (!reading) {
    return (
      <aside class="feed-one" aria-label={t.details}>
        <p class="quiet">{t.detailsHint}</p>
      </aside>
    );
  }
  const text = JSON.stringify(reading, undefined, 2);
  return (
    <aside class="feed-one chosen" aria-label={t.details}>
      <div class="section-head">
        <h2>{reading.sensorId}</h2>
        <CopyButton text={text} />
        <button type="button" class="button" onClick={close}>
          {t.close}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard */}
      <pre tabIndex={0}>{text}</pre>
      <a href={`/sensors/${encodeURIComponent(reading.sensorId)}`}>{t.toSensor}</a>
    </aside>
  );
}

export function CopyButton({ text }: { text: string }) {
  const t = messages.value.feed.live;
  const [copied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [text]);
  // Browsers give the clipboard only to pages that came encrypted or from this machine.
  if (!navigator.clipboard) return null;
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  return (
    <button type="button" class="button" onClick={() => void copy()}>
      {copied ? t.copied : t.copy}
    </button>
  );
}

import { useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { useAttempt } from "../../parts/use-attempt.ts";
import { mayManage, user } from "../../shell/session.ts";
import { sayProblem } from "../../words/problems.ts";
import { Moment } from "../../words/time.tsx";
import { formatBytes } from "../numbers.ts";
import type { FollowedRuns, RecordingsView } from "./runs-state.ts";

type TableProps = {
  readonly followed: FollowedRuns;
  readonly items: RecordingsView["items"];
  /** Missing while something runs. */
  readonly replay: ((name: string) => void) | undefined;
};

export function RecordingTable({ followed, items, replay }: TableProps) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  return (
    <section class="feed-section">
      <h2>{t.recordings}</h2>
      {problem !== undefined && (
        <p class="wrong" role="alert">
          {sayProblem(problem)}
        </p>
      )}
      {items.length === 0 ? (
        <p class="quiet">{t.none}</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of the keyboard
        <section class="feed-table" tabIndex={0} aria-label={t.recordings}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.name}</th>
                <th scope="col" class="number">
                  {t.size}
                </th>
                <th scope="col" class="feed-made">
                  {t.made}
                </th>
                <th scope="col">
                  <span class="hidden">{t.actions}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <RecordingRow
                  key={item.name}
                  {...{ item, busy, replay }}
                  remove={() => void attempt(() => followed.act("DELETE", `/recordings/${item.name}`))}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

type RowProps = {
  readonly item: RecordingsView["items"][number];
  readonly busy: boolean;
  readonly replay: TableProps["replay"];
  readonly remove: () => void;
};

function RecordingRow({ item: { name, bytes, at }, busy, replay, remove }: RowProps) {
  const t = messages.value.feed.runs;
  const [sure, setSure] = useState(false);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number">{formatBytes(bytes)}</td>
      <td class="feed-made">
        <Moment at={at} as="time" />
      </td>
      <td class="feed-actions">
        {user.value?.role === "admin" && replay && (
          <button type="button" class="button" onClick={() => replay(name)}>
            {t.replay}
          </button>
        )}
        <a class="button" href={`/api/v1/recordings/${name}`} download={`${name}.ndjson`}>
          {t.download}
        </a>
        {mayManage.value && !sure && (
          <button type="button" class="button" onClick={() => setSure(true)}>
            {t.remove}
          </button>
        )}
        {sure && (
          <>
            <span>{t.removeSure(name)}</span>
            <button type="button" class="button" disabled={busy} onClick={remove}>
              {t.remove}
            </button>
            <button type="button" class="button quiet" onClick={() => setSure(false)}>
              {t.keep}
            </button>
          </>
        )}
      </td>
    </tr>
  );
}

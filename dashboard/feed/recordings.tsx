import { useState } from "preact/hooks";
import type { RecordingsView } from "../../contract/simulation.ts";
import { isId } from "../../model/ids.ts";
import { request, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed, typedList } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Problem } from "../parts/state.tsx";
import { buttons, numbers, Table } from "../parts/table.tsx";
import { mayManage, user } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { formatBytes, formatCount } from "./formats.ts";
import type { FollowedRuns } from "./runs-state.ts";

const MINUTES = [10, 1, 60, 480];

/** Starts a recording of the live feed, or shows the one under way. */
export function RecordForm({ followed }: { followed: FollowedRuns }) {
  const now = followed.recordings.value?.current;
  return now ? <CurrentRecording now={now} followed={followed} /> : <StartForm followed={followed} />;
}

function StartForm({ followed }: { followed: FollowedRuns }) {
  const t = messages.value.feed.runs;
  const [wrong, setWrong] = useState<{ name?: string; sensors?: string }>({});

  async function submit(data: FormData): Promise<void> {
    const name = typed(data, "name") ?? "";
    const sensors = typedList(data, "sensors");
    const found = {
      ...(isId(name) ? {} : { name: t.nameHint }),
      ...((sensors ?? []).every(isId) ? {} : { sensors: t.nameHint }),
    };
    setWrong(found);
    if (Object.keys(found).length > 0) return;
    await followed.act(() => send("POST", "/recordings", { name, minutes: Number(data.get("minutes")), sensors }));
  }

  return (
    <Form submitLabel={t.recordStart} onSubmit={submit}>
      <Field label={t.name} name="name" hint={t.nameHint} wrong={wrong.name} />
      <Field label={t.sensors} name="sensors" hint={t.sensorsHint} wrong={wrong.sensors} />
      <Field
        label={t.minutes}
        name="minutes"
        value={String(MINUTES[0])}
        options={MINUTES.map((minutes) => [String(minutes), t.forMinutes(minutes)] as const)}
      />
    </Form>
  );
}

type UnderWayProps = { readonly now: NonNullable<RecordingsView["current"]>; readonly followed: FollowedRuns };

function CurrentRecording({ now, followed }: UnderWayProps) {
  const t = messages.value.feed.runs;
  const { busy, problem, attempt } = useAttempt();
  return (
    <div class="panel">
      <h3>{t.recordingNow(now.name)}</h3>
      <p>{t.recorded(formatCount(now.readings), formatBytes(now.bytes))}</p>
      {now.missed > 0 && <p class="wrong">{t.missed(formatCount(now.missed))}</p>}
      <p class="quiet">
        {t.by(now.by)} · {t.until}: <Moment at={now.endsAt} as="time" />
      </p>
      <div>
        <Button
          disabled={busy}
          onClick={() => void attempt(() => followed.act(() => send("POST", `/recordings/${now.name}/stop`, {})))}
        >
          {t.recordStop}
        </Button>
      </div>
      <Problem of={problem} />
    </div>
  );
}

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
    <section class="stack">
      <h2>{t.recordings}</h2>
      <Problem of={problem} />
      {items.length === 0 ? (
        <p class="quiet">{t.none}</p>
      ) : (
        <Table
          label={t.recordings}
          columns={[t.name, ...numbers(t.size), { head: t.made, class: "wide-only" }, buttons(t.actions)]}
          rows={items.map(({ name, bytes, at }) => ({
            key: name,
            cells: [
              name,
              formatBytes(bytes),
              <Moment at={at} as="time" />,
              <RowActions
                name={name}
                busy={busy}
                replay={replay}
                remove={() => void attempt(() => followed.act(() => request("DELETE", `/recordings/${name}`)))}
              />,
            ],
          }))}
        />
      )}
    </section>
  );
}

type RowProps = {
  readonly name: string;
  readonly busy: boolean;
  readonly replay: TableProps["replay"];
  readonly remove: () => void;
};

function RowActions({ name, busy, replay, remove }: RowProps) {
  const t = messages.value.feed.runs;
  const [sure, setSure] = useState(false);
  return (
    <div class="cluster">
      {user.value?.role === "admin" && replay && <Button onClick={() => replay(name)}>{t.replay}</Button>}
      <a class="button" href={`/api/v1/recordings/${name}`} download={`${name}.ndjson`}>
        {t.download}
      </a>
      {mayManage.value && !sure && <Button onClick={() => setSure(true)}>{t.remove}</Button>}
      {sure && (
        <>
          <span>{t.removeSure(name)}</span>
          <Button disabled={busy} onClick={remove}>
            {t.remove}
          </Button>
          <Button class="quiet" onClick={() => setSure(false)}>
            {t.keep}
          </Button>
        </>
      )}
    </div>
  );
}

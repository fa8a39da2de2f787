import { useEffect, useState } from "preact/hooks";
import type { PageOf } from "../../contract/common.ts";
import type { CorrectedView, DismissedView } from "../../contract/ledger.ts";
import type { SensorFaultsView } from "../../contract/reading.ts";
import type { Reason } from "../../model/rejection.ts";
import { request, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, WordsForm } from "../parts/forms.tsx";
import { useLoaded } from "../parts/state.tsx";
import { buttons, numbers, Table } from "../parts/table.tsx";
import { setQuery } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { formatCount } from "./formats.ts";

type Cause = { readonly sensorId: string } & SensorFaultsView["refused"][number];
type Doing = { readonly what: "correct" | "dismiss"; readonly cause: Cause };

const CAUSES_MAX = 200;
const ASK_EVERY_MS = 15_000;

/** What is wrong, by its cause and not by its messages: each is one thing to mend. The newest first. */
export function Causes({ onChanged }: { readonly onChanged: () => void }) {
  const { feed, metrics, editing } = messages.value;
  const t = feed.quarantine;
  const [doing, setDoing] = useState<Doing>();
  const [said, setSaid] = useState("");
  const { found, reload } = useLoaded(
    (signal) => request<PageOf<SensorFaultsView>>("GET", `/quarantine/sensors?limit=${CAUSES_MAX}`, undefined, signal),
    [],
    ASK_EVERY_MS,
  );
  const causes = (found?.items ?? []).flatMap(({ sensorId, refused }) => refused.map((one) => ({ sensorId, ...one })));

  function done(words: string): void {
    setDoing(undefined);
    setSaid(words);
    reload();
    onChanged();
  }

  if (causes.length === 0 && said === "") return null;
  return (
    <section class="stack">
      <h2>{t.causes}</h2>
      <p class="quiet">{t.causesHint}</p>
      <p role="status" class={said ? "note" : "hidden"}>
        {said}
      </p>
      {doing?.what === "correct" && (
        <Correct
          key={keyOf(doing.cause)}
          cause={doing.cause}
          onDone={({ corrected, left }) => done(editing.corrected(corrected, left))}
          onCancel={() => setDoing(undefined)}
        />
      )}
      {doing?.what === "dismiss" && (
        <Dismiss
          key={keyOf(doing.cause)}
          title={editing.dismissCause(nameOf(doing.cause))}
          asked={causeOf(doing.cause)}
          onDone={({ dismissed }) => done(editing.dismissed(dismissed))}
          onCancel={() => setDoing(undefined)}
        />
      )}
      {causes.length > 0 && (
        <Table
          label={t.causes}
          class="tall"
          columns={[t.sensor, t.reason, ...numbers(t.count), t.since, t.detail, buttons(t.show)]}
          rows={causes
            .sort((a, b) => b.lastAt.localeCompare(a.lastAt))
            .map((cause) => {
              const { sensorId, reason, metric, count, since, detail } = cause;
              const about = nameOf(cause);
              const act = (what: Doing["what"]) => {
                setSaid("");
                setDoing({ what, cause });
              };
              return {
                key: keyOf(cause),
                cells: [
                  <a href={`/sensors/${encodeURIComponent(sensorId)}`}>{sensorId}</a>,
                  `${feed.reasons[reason]}${metric ? `: ${metrics[metric]}` : ""}`,
                  formatCount(count),
                  <Moment at={since} as="time" />,
                  detail,
                  <div class="row-buttons">
                    <Button
                      class="quiet"
                      aria-label={`${t.show}: ${about}`}
                      onClick={() => setQuery({ sensor: sensorId, reason })}
                    >
                      {t.show}
                    </Button>
                    {isCorrectable(cause) && (
                      <Button class="quiet" aria-label={`${editing.correct}: ${about}`} onClick={() => act("correct")}>
                        {editing.correct}
                      </Button>
                    )}
                    {reason === "unmapped" && (
                      <a class="button quiet" href="/admin?tab=mappings">
                        {editing.toMapping}
                      </a>
                    )}
                    <Button class="quiet" aria-label={`${editing.dismiss}: ${about}`} onClick={() => act("dismiss")}>
                      {editing.dismiss}
                    </Button>
                  </div>,
                ],
              };
            })}
        />
      )}
    </section>
  );
}

const keyOf = ({ sensorId, reason, metric }: Cause) => `${sensorId} ${reason} ${metric}`;

function nameOf({ sensorId, reason, metric }: Cause): string {
  const { feed, metrics } = messages.value;
  return [sensorId, feed.reasons[reason], ...(metric ? [metrics[metric]] : [])].join(", ");
}

const causeOf = ({ sensorId, reason, metric }: Cause) => ({ sensor: sensorId, reason, ...(metric && { metric }) });

/** Where the clock was wrong, the time can be moved. */
const BY_TIME: ReadonlySet<Reason> = new Set(["future", "too_late"]);
/** Which of two values is right is decided one by one. */
const isCorrectable = ({ reason, metric }: Cause) =>
  metric === undefined ? BY_TIME.has(reason) : reason !== "conflict";

type CorrectProps = {
  readonly cause: Cause;
  readonly onDone: (done: CorrectedView) => void;
  readonly onCancel: () => void;
};

const LOOK_AFTER_MS = 300;

/** One rule for all that waits of a cause, with what it would make of the first of them. */
function Correct({ cause, onDone, onCancel }: CorrectProps) {
  const { editing: t } = messages.value;
  const [form, setForm] = useState<FormData>();
  const [tried, setTried] = useState<CorrectedView>();
  const isTime = cause.metric === undefined;

  const ruleOf = (data: FormData | undefined) => {
    const number = (name: string) => {
      const text = data && typed(data, name);
      return text === undefined ? undefined : Number(text);
    };
    const minutes = number("shiftS");
    return {
      ...causeOf(cause),
      ...(isTime ? { shiftS: minutes === undefined ? undefined : minutes * 60 } : {}),
      ...(isTime ? {} : { factor: number("factor"), offset: number("offset") }),
    };
  };

  useEffect(() => {
    const leaving = new AbortController();
    const timer = setTimeout(() => {
      const asked = { ...ruleOf(form), because: "dry run" };
      send("POST", "/quarantine/correct?dryRun=true", asked, leaving.signal).then(setTried, () => setTried(undefined));
    }, LOOK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [form]);

  return (
    <div onInput={(event) => setForm(new FormData((event.target as HTMLInputElement).form!))}>
      <Form
        class="panel"
        title={t.correctTitle(nameOf(cause))}
        submitLabel={t.sendCorrected}
        onSubmit={async (data) =>
          onDone(await send("POST", "/quarantine/correct", { ...ruleOf(data), because: typed(data, "because") ?? "" }))
        }
        onCancel={onCancel}
      >
        <p class="quiet">{isTime ? t.correctTimeHint : t.correctHint}</p>
        <div class="fields">
          {isTime ? (
            <Field label={t.shift} name="shiftS" type="number" hint={t.shiftHint} required />
          ) : (
            <>
              <Field label={t.factor} name="factor" type="number" hint={t.factorHint} />
              <Field label={t.offset} name="offset" type="number" />
            </>
          )}
          <Field label={t.because} name="because" required maxLength={500} />
        </div>
        <div role="status">
          {tried && (
            <>
              <p>{t.wouldCorrect(tried.corrected, tried.left)}</p>
              <ul class="feed-examples">
                {tried.examples.map(({ id, before, after }) => (
                  <li key={id}>
                    <code>{before}</code> → <code>{after}</code>
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      </Form>
    </div>
  );
}

type DismissProps = {
  readonly title: string;
  readonly asked: ReturnType<typeof causeOf> | { readonly ids: readonly number[] };
  readonly onDone: (done: DismissedView) => void;
  readonly onCancel: () => void;
};

/** Nothing is made of it, and why. */
export function Dismiss({ title, asked, onDone, onCancel }: DismissProps) {
  const { editing: t } = messages.value;
  return (
    <section class="panel" aria-label={title}>
      <h3>{title}</h3>
      <p class="quiet">{t.dismissHint}</p>
      <WordsForm
        label={t.because}
        name="because"
        oneLine
        submitLabel={t.dismiss}
        onSubmit={async (because) => {
          const body = "ids" in asked ? { ids: [...asked.ids], because } : { ...asked, because };
          onDone(await send("POST", "/quarantine/dismiss", body));
        }}
        onCancel={onCancel}
      />
    </section>
  );
}

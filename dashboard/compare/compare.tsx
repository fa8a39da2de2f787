import "./compare.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { AnnotationView } from "../../contract/annotation.ts";
import type { PageOf } from "../../contract/common.ts";
import { METRICS, METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { DAY_MS } from "../../model/time.ts";
import { request, send } from "../api/client.ts";
import { type ChartData, OTHERS, type Series } from "../chart/chart-data.ts";
import { heightMinOf } from "../chart/levels.ts";
import { TimeChart } from "../chart/time-chart.tsx";
import { loadHistory } from "../chart/use-history.ts";
import { sensors } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { LazyDialogButton } from "../parts/lazy.tsx";
import { Loading, Problem, useLoaded } from "../parts/state.tsx";
import { Choice, Filters } from "../parts/table.tsx";
import { query, setQuery } from "../shell/router.ts";
import { mayHandle, user } from "../shell/session.ts";
import { formatTime, Moment } from "../words/time.tsx";
import { metricLabel, titleOfChart } from "../words/words.ts";
import { fromLocalInput } from "../words/zone.ts";

const SENSORS_MAX = 4;
const SPANS = [1, 7, 30, 365] as const;
/** How far back the other period lies, in days; "" is none. */
const BEFORE = ["1", "7", "28", "364"] as const;
const DASHES = [undefined, [6, 4], [2, 3], [10, 3, 2, 3]] as const;

/** `/compare?sensors=a,b&metric=pm25&days=7&before=7`: sensors side by side, and each with itself some time ago. */
export function ComparePage() {
  const { compare: t, desk } = messages.value;
  const address = query.value.toString();
  const asked = useMemo(() => askedOf(new URLSearchParams(address), Date.now()), [address]);
  const { ids, metric, from, to, before } = asked;
  const { found, problem } = useLoaded((signal) => loadSeries(asked, signal), [asked]);
  const notes = useLoaded((signal) => loadNotes(asked, signal), [asked]);
  const title = metric ? titleOfChart(metric) : "";
  const data = useMemo(
    () => found && metric && chartOf({ from, to, metric, series: found, notes: notes.found ?? [] }),
    [found, notes.found, from, to, metric],
  );
  return (
    <div class="compare page">
      <h1 tabIndex={-1}>{t.title}</h1>
      <p class="quiet">{t.hint}</p>
      <Asked asked={asked} />
      <div class="cluster">
        <LazyDialogButton class="" load={async () => (await import("../views/saved.tsx")).SavedViews}>
          {desk.savedFilters}
        </LazyDialogButton>
      </div>
      <Problem of={problem ?? notes.problem} />
      {ids.length === 0 && <p class="note">{t.choose}</p>}
      {ids.length > 0 && !metric && <p class="note">{t.noMetric}</p>}
      {ids.length > 0 && metric && !found && problem === undefined && <Loading />}
      {data && (
        <TimeChart
          label={t.label(title, ids.join(", "))}
          title={title}
          data={data}
          legend={(notes.found?.length ?? 0) > 0 ? [{ tone: "info", text: messages.value.annotations.title }] : []}
        />
      )}
      {before && found && <p class="quiet">{t.shifted(Number(before))}</p>}
      {ids[0] && (
        <Notes sensorId={ids[0]} metric={metric} notes={notes.found} onChange={notes.reload} from={from} to={to} />
      )}
    </div>
  );
}

type AskedFor = {
  readonly ids: readonly string[];
  readonly metric: MetricName | undefined;
  readonly days: number;
  readonly before: string | undefined;
  readonly from: number;
  readonly to: number;
};

function askedOf(address: URLSearchParams, now: number): AskedFor {
  const ids = [...new Set((address.get("sensors") ?? "").split(",").filter(Boolean))].slice(0, SENSORS_MAX);
  const days = SPANS.find((one) => String(one) === address.get("days")) ?? 1;
  const metric = Object.keys(METRICS).find((one) => one === address.get("metric")) as MetricName | undefined;
  const before = BEFORE.find((one) => one === address.get("before"));
  const own = metric ?? (sensors.peek().get(ids[0] ?? "")?.latest ? firstMetric(ids[0]!) : undefined);
  return { ids, metric: own, days, before, from: now - days * DAY_MS, to: now };
}

function firstMetric(id: string): MetricName | undefined {
  const sensor = sensors.peek().get(id);
  return sensor && METRICS_OF[sensor.kind].find((one) => sensor.latest?.values[one] !== undefined);
}

/** Each sensor now, and, if asked for, some time ago, moved to the same place. */
async function loadSeries({ ids, metric, from, to, before }: AskedFor, signal: AbortSignal): Promise<Series[]> {
  if (!metric) return [];
  const t = messages.peek().compare;
  const shift = Number(before ?? 0) * DAY_MS;
  const periods = shift > 0 ? [0, shift] : [0];
  const tones = ["accent", ...OTHERS] as const;
  const all = ids.flatMap((id, i) => periods.map((back, k) => ({ id, back, nth: i * periods.length + k, k })));
  return Promise.all(
    all.map(async ({ id, back, nth, k }): Promise<Series> => {
      const { points } = await loadHistory(id, metric, { from: from - back, to: to - back }, signal);
      const dash = k === 0 ? DASHES[Math.floor(nth / tones.length)] : DASHES[1];
      const name = sensors.peek().get(id)?.name ?? id;
      return {
        label: back === 0 ? name : t.ago(name, Number(before)),
        tone: tones[nth % tones.length]!,
        points: points.map(([at, value]) => [at + back, value] as const),
        ...(dash ? { dash } : {}),
      };
    }),
  );
}

async function loadNotes({ ids, from, to }: AskedFor, signal: AbortSignal): Promise<readonly AnnotationView[]> {
  const range = `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
  const lists = ids.map((id) =>
    request<PageOf<AnnotationView>>(
      "GET",
      `/sensors/${encodeURIComponent(id)}/annotations?${range}`,
      undefined,
      signal,
    ),
  );
  return (await Promise.all(lists)).flatMap(({ items }) => items);
}

type Shown = Pick<AskedFor, "from" | "to"> & {
  readonly metric: MetricName;
  readonly series: readonly Series[];
  readonly notes: readonly AnnotationView[];
};

function chartOf({ from, to, metric, series, notes }: Shown): ChartData {
  // A moment is as wide as one can see.
  const air = (to - from) / 300;
  const bands = notes
    .filter((one) => one.metric === undefined || one.metric === metric)
    .map((one) => ({ start: Date.parse(one.from), end: Date.parse(one.to) }))
    .map(({ start, end }) => ({
      from: Math.max(from, start - air / 2),
      to: Math.min(to, Math.max(end, start) + air / 2),
      tone: "info" as const,
    }));
  return { from, to, unit: METRICS[metric].unit, series, bands, heightMin: heightMinOf(metric) };
}

function Asked({ asked }: { asked: AskedFor }) {
  const { compare: t } = messages.value;
  const { ids, metric, days, before } = asked;
  const first = sensors.value.get(ids[0] ?? "");
  const kind = first?.kind;
  const others = [...sensors.value.values()].filter((one) => !ids.includes(one.id) && (!kind || one.kind === kind));
  const put = (next: readonly string[]) => setQuery({ sensors: next.join(",") });
  const [text, setText] = useState("");
  const wanted = others.find(({ id, name }) => id === text || name === text);
  useEffect(() => {
    if (!wanted) return;
    setText("");
    put([...ids, wanted.id]);
  }, [wanted?.id]);
  return (
    <>
      <ul class="compare-sensors cluster">
        {ids.map((id) => (
          <li key={id}>
            <Button
              aria-label={t.remove(sensors.value.get(id)?.name ?? id)}
              onClick={() => put(ids.filter((one) => one !== id))}
            >
              {sensors.value.get(id)?.name ?? id} ×
            </Button>
          </li>
        ))}
      </ul>
      <Filters text={text} label={t.add} hint={ids.length < SENSORS_MAX ? t.addHint : t.full} onText={setText}>
        <Choice
          label={t.sensor}
          value={undefined}
          among={ids.length < SENSORS_MAX ? others.map(({ id }) => id).slice(0, 500) : []}
          say={(id) => sensors.value.get(id)?.name ?? id}
          onChoose={(id) => id && put([...ids, id])}
        />
        <Choice
          label={t.metric}
          value={metric}
          among={kind ? METRICS_OF[kind] : []}
          say={metricLabel}
          onChoose={(one) => setQuery({ metric: one })}
        />
        <Choice
          label={t.days}
          value={String(days)}
          among={SPANS.map(String)}
          say={(one) => t.lastDays(Number(one))}
          onChoose={(one) => setQuery({ days: one })}
        />
        <Choice
          label={t.before}
          value={before}
          among={BEFORE}
          say={(one) => t.daysBefore(Number(one))}
          onChoose={(one) => setQuery({ before: one })}
        />
      </Filters>
    </>
  );
}

type NotesProps = {
  readonly sensorId: string;
  readonly metric: MetricName | undefined;
  readonly notes: readonly AnnotationView[] | undefined;
  readonly onChange: () => void;
  readonly from: number;
  readonly to: number;
};

/** Who wrote what beside these charts, and when it was. */
function Notes({ sensorId, metric, notes, onChange }: NotesProps) {
  const { annotations: t, compare } = messages.value;
  const { problem, attempt } = useAttempt();

  async function add(data: FormData, form: HTMLFormElement): Promise<void> {
    const [from, to] = [typed(data, "from"), typed(data, "to")];
    const iso = (local: string) => new Date(fromLocalInput(local)).toISOString();
    await send("POST", `/sensors/${encodeURIComponent(sensorId)}/annotations`, {
      from: iso(from ?? ""),
      ...(to ? { to: iso(to) } : {}),
      ...(metric && data.has("onlyThis") ? { metric } : {}),
      text: typed(data, "text") ?? "",
    });
    form.reset();
    onChange();
  }

  return (
    <section class="stack">
      <h2>{t.title}</h2>
      <Problem of={problem} />
      {notes?.length === 0 && <p class="quiet">{t.none}</p>}
      <ul class="compare-notes">
        {(notes ?? []).map((one) => (
          <li key={one.id}>
            <span>
              <Moment at={one.from} as="time" />
              {one.to === one.from ? "" : ` – ${formatTime(Date.parse(one.to), Date.now())}`} · {one.sensorId}
              {one.metric ? `, ${metricLabel(one.metric)}` : ""}
            </span>
            <strong>{one.text}</strong>
            <small class="quiet">
              {one.by}, <Moment at={one.at} />
            </small>
            {mayHandle.value && (one.by === user.value?.name || user.value?.role !== "crew") && (
              <Button
                class="quiet"
                aria-label={`${t.remove}: ${one.text}`}
                onClick={() =>
                  void attempt(async () => {
                    await request("DELETE", `/annotations/${one.id}`);
                    onChange();
                  })
                }
              >
                {t.remove}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {mayHandle.value && (
        <Form title={compare.addNote(sensorId)} submitLabel={t.add} onSubmit={add}>
          <Field label={t.from} name="from" type="datetime-local" required />
          <Field label={t.to} name="to" type="datetime-local" />
          <Field label={t.text} name="text" required maxLength={500} />
          {metric && (
            <label class="check">
              <input type="checkbox" name="onlyThis" />
              <span>{t.onlyThis(metricLabel(metric))}</span>
            </label>
          )}
        </Form>
      )}
    </section>
  );
}

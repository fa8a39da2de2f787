import { useState } from "preact/hooks";
import type { PageOf } from "../../contract/common.ts";
import type { CorrectionDoneView, CorrectionEffectView, CorrectionView } from "../../contract/correction.ts";
import { CORRECTION_KINDS, type CorrectionKind } from "../../model/correction.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { request } from "../api/client.ts";
import { corrected } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Problem, useLoaded } from "../parts/state.tsx";
import { Table } from "../parts/table.tsx";
import { query } from "../shell/router.ts";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { formatValue, metricLabel } from "../words/words.ts";
import { fromLocalInput, toLocalInput } from "../words/zone.ts";
import type { WholeSensor } from "./sensor-state.ts";

const ASK_EVERY_MS = 15_000;
/** More than a sensor may have that count. */
const SHOWN = 200;
const NONE: readonly CorrectionView[] = [];

const pathOf = (id: string) => `/sensors/${encodeURIComponent(id)}/corrections`;

/** Those of a sensor, the newest first, with the revoked ones. */
export function useCorrections(id: string) {
  const load = (signal: AbortSignal) =>
    request<PageOf<CorrectionView>>("GET", `${pathOf(id)}?limit=${SHOWN}`, undefined, signal);
  const { found, reload } = useLoaded(load, [id, corrected.value.get(id)], ASK_EVERY_MS);
  return { items: found?.items ?? NONE, reload };
}

type CorrectionsProps = {
  readonly sensor: WholeSensor;
  /** What its chart shows. */
  readonly metric: MetricName | undefined;
  readonly corrections: ReturnType<typeof useCorrections>;
};

/** What people found out about its readings; operators add to it and take back. */
export function Corrections({ sensor, metric, corrections: { items, reload } }: CorrectionsProps) {
  const t = messages.value.sensor.corrections;
  const path = pathOf(sensor.id);
  const [open, setOpen] = useState<"new" | number>();
  const [done, setDone] = useState<CorrectionDoneView>();
  if (items.length === 0 && !mayManage.value) return null;

  async function change(to: string, body: object): Promise<void> {
    setDone(await request<CorrectionDoneView>("POST", to, body));
    setOpen(undefined);
    reload();
  }

  return (
    <section class="panel stack">
      <h2>{t.title}</h2>
      {done?.effect && (
        <p class="note" role="status">
          {[t.effect(done.effect.readings, done.effect.alerts), ...done.effect.notes].join(" ")}
        </p>
      )}
      {mayManage.value && open === undefined && (
        <div>
          <Button onClick={() => setOpen("new")}>{t.add}</Button>
        </div>
      )}
      {open === "new" && (
        <NewCorrection
          sensor={sensor}
          metric={metric}
          onSend={(body) => change(path, body)}
          onCancel={() => setOpen(undefined)}
        />
      )}
      {items.length > 0 && (
        <ul class="stack">
          {items.map((one) => (
            <li key={one.id}>
              <p>
                {t.kinds[one.what]} {changeOf(one)} <span class="quiet">{namesOf(one)}</span>
              </p>
              <p class="quiet">
                <Moment at={one.from} as="time" /> – <Moment at={one.to} as="time" /> · {one.reason} · {one.by}
              </p>
              {one.revokedAt !== undefined && (
                <p class="quiet">
                  {t.revoked} <Moment at={one.revokedAt} as="time" /> · {one.revokeReason} · {one.revokedBy}
                </p>
              )}
              {mayManage.value && one.revokedAt === undefined && open !== one.id && (
                <Button aria-label={`${t.revoke}: ${one.reason}`} onClick={() => setOpen(one.id)}>
                  {t.revoke}
                </Button>
              )}
              {open === one.id && (
                <Form
                  label={t.revoke}
                  submitLabel={t.revoke}
                  onCancel={() => setOpen(undefined)}
                  onSubmit={(data) => change(`/corrections/${one.id}/revoke`, { reason: typed(data, "reason") })}
                >
                  <Field label={t.reason} name="reason" required maxLength={500} />
                </Form>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

type NewProps = {
  readonly sensor: WholeSensor;
  readonly metric: MetricName | undefined;
  readonly onSend: (body: object) => Promise<void>;
  readonly onCancel: () => void;
};

type Preview = { readonly body: object; readonly effect: CorrectionEffectView };

/** Nothing is saved before it was seen what it would change; what is typed after that is looked at again. */
function NewCorrection({ sensor, metric, onSend, onCancel }: NewProps) {
  const t = messages.value.sensor.corrections;
  const [what, setWhat] = useState<CorrectionKind>("invalid");
  const [preview, setPreview] = useState<Preview>();
  const { busy, problem, attempt } = useAttempt();
  // What the chart was zoomed to is what is looked at.
  const [zoomed] = useState(() => [query.peek().get("from"), query.peek().get("to")].map(Number));
  const [from, to] = zoomed.map((at) => (at > 0 ? toLocalInput(at) : undefined));

  async function look(data: FormData): Promise<void> {
    setPreview(undefined);
    const body = bodyOf(data, what);
    const { effect } = await request<CorrectionDoneView>("POST", `${pathOf(sensor.id)}?dryRun=true`, body);
    if (effect) setPreview({ body, effect });
  }

  return (
    <div class="stack" onInput={() => setPreview(undefined)}>
      <Form label={t.add} submitLabel={t.preview} onCancel={onCancel} onSubmit={look}>
        <Field
          label={t.what}
          name="what"
          value={what}
          options={CORRECTION_KINDS.map((kind) => [kind, t.kinds[kind]] as const)}
          onChoose={(kind) => setWhat(kind as CorrectionKind)}
        />
        <Field label={t.from} name="from" type="datetime-local" value={from} required />
        <Field label={t.to} name="to" type="datetime-local" value={to} required />
        {what !== "shift" && (
          <Field
            label={t.metric}
            name="metrics"
            value={metric}
            options={[
              ...(what === "invalid" ? [["", t.allMetrics] as const] : []),
              ...METRICS_OF[sensor.kind].map((name) => [name, metricLabel(name)] as const),
            ]}
          />
        )}
        {what === "value" && <Field label={t.value} name="value" type="number" required />}
        {what === "factor" && <Field label={t.factor} name="factor" type="number" required hint={t.factorHint} />}
        {what === "factor" && <Field label={t.offset} name="offset" type="number" />}
        {what === "shift" && <Field label={t.shiftS} name="shiftS" type="number" required hint={t.shiftHint} />}
        <Field label={t.reason} name="reason" required maxLength={500} />
      </Form>
      {preview && (
        <section class="note stack correction-preview" role="status" aria-label={t.preview}>
          <Effect of={preview.effect} />
          <Problem of={problem} />
          <div>
            <Button class="primary" disabled={busy} onClick={() => void attempt(() => onSend(preview.body))}>
              {t.save}
            </Button>
          </div>
        </section>
      )}
    </div>
  );
}

type Example = CorrectionEffectView["examples"][number];
type Values = Example["before"];

/** Of a reading with many values, those that are other than before. */
const changedNames = ({ before, after }: Example): string[] =>
  Object.keys({ ...before?.values, ...after?.values }).filter((name) => before?.values[name] !== after?.values[name]);

const isMoved = ({ before, after }: Example): boolean =>
  before !== undefined && after !== undefined && before.measuredAt !== after.measuredAt;

/** What it would change, with the first few as they are and as they would be. */
function Effect({ of: { readings, alerts, examples, notes } }: { of: CorrectionEffectView }) {
  const t = messages.value.sensor.corrections;
  const isOne = new Set(examples.flatMap(changedNames)).size === 1;
  const say = (one: Values, names: readonly string[]) =>
    names.map((name) => (
      <div key={name}>
        {!isOne && <span class="quiet">{metricLabel(name)} </span>}
        {one?.values[name] === undefined ? t.leftOut : formatValue(one.values[name], name)}
      </div>
    ));
  return (
    <>
      <p>
        <strong>{readings === 0 ? t.nothing : t.would(readings, alerts)}</strong>
      </p>
      {notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      {examples.length > 0 && (
        <Table
          label={t.examples}
          columns={[messages.value.chart.time, t.before, t.after]}
          rows={examples.map((one, i) => ({
            key: i,
            cells: [
              one.before && <Moment at={one.before.measuredAt} as="time" />,
              // A shift leaves the values as they are.
              say(one.before, isMoved(one) ? Object.keys(one.before!.values) : changedNames(one)),
              isMoved(one) ? <Moment at={one.after!.measuredAt} as="time" /> : say(one.after, changedNames(one)),
            ],
          }))}
        />
      )}
    </>
  );
}

function bodyOf(data: FormData, what: CorrectionKind): object {
  const moment = (name: string) => {
    const text = typed(data, name);
    return text === undefined ? undefined : new Date(fromLocalInput(text)).toISOString();
  };
  const number = (name: string) => (typed(data, name) === undefined ? undefined : Number(typed(data, name)));
  const metric = typed(data, "metrics");
  return {
    what,
    from: moment("from"),
    to: moment("to"),
    ...(metric === undefined ? {} : { metrics: [metric] }),
    value: number("value"),
    factor: number("factor"),
    offset: number("offset"),
    shiftS: number("shiftS"),
    reason: typed(data, "reason"),
  };
}

function changeOf({ what, value, factor = 1, offset = 0, shiftS = 0 }: CorrectionView): string {
  if (what === "value") return `= ${value}`;
  if (what === "factor") return `× ${factor}${offset === 0 ? "" : ` ${offset < 0 ? "−" : "+"} ${Math.abs(offset)}`}`;
  return what === "shift" ? `${shiftS < 0 ? "−" : "+"}${Math.abs(shiftS)} s` : "";
}

const namesOf = ({ metrics }: CorrectionView): string =>
  (metrics ?? []).map((name) => metricLabel(name as never)).join(", ");

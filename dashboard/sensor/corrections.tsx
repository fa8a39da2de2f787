import { useState } from "preact/hooks";
import type { PageOf } from "../../contract/common.ts";
import type { CorrectionDoneView, CorrectionView } from "../../contract/correction.ts";
import { CORRECTION_KINDS, type CorrectionKind } from "../../model/correction.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { useLoaded } from "../parts/state.tsx";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { metricLabel } from "../words/words.ts";
import { fromLocalInput } from "../words/zone.ts";
import { sentBy, type WholeSensor } from "./sensor-state.ts";

const ASK_EVERY_MS = 15_000;

/** What people found out about its readings; operators add to it and take back. */
export function Corrections({ sensor }: { sensor: WholeSensor }) {
  const t = messages.value.sensor.corrections;
  const path = `/sensors/${encodeURIComponent(sensor.id)}/corrections`;
  const load = (signal: AbortSignal) => request<PageOf<CorrectionView>>("GET", path, undefined, signal);
  const { found, reload } = useLoaded(load, [path], ASK_EVERY_MS);
  const [open, setOpen] = useState<"new" | number>();
  const [done, setDone] = useState<CorrectionDoneView>();
  const items = found?.items ?? [];
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
      {mayManage.value && open === undefined && <Button onClick={() => setOpen("new")}>{t.add}</Button>}
      {open === "new" && (
        <NewCorrection sensor={sensor} onSend={(body) => change(path, body)} onCancel={() => setOpen(undefined)} />
      )}
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
    </section>
  );
}

type NewProps = {
  readonly sensor: WholeSensor;
  readonly onSend: (body: object) => Promise<void>;
  readonly onCancel: () => void;
};

function NewCorrection({ sensor, onSend, onCancel }: NewProps) {
  const t = messages.value.sensor.corrections;
  const [what, setWhat] = useState<CorrectionKind>("invalid");
  return (
    <Form label={t.add} submitLabel={t.add} onCancel={onCancel} onSubmit={(data) => onSend(bodyOf(data, what))}>
      <Field
        label={t.what}
        name="what"
        value={what}
        options={CORRECTION_KINDS.map((kind) => [kind, t.kinds[kind]] as const)}
        onChoose={(kind) => setWhat(kind as CorrectionKind)}
      />
      <Field label={t.from} name="from" type="datetime-local" required />
      <Field label={t.to} name="to" type="datetime-local" required />
      {what !== "shift" && (
        <Field
          label={t.metric}
          name="metrics"
          options={[
            ...(what === "invalid" ? [["", t.allMetrics] as const] : []),
            ...sentBy(sensor).map((name) => [name, metricLabel(name)] as const),
          ]}
        />
      )}
      {what === "value" && <Field label={t.value} name="value" type="number" required />}
      {what === "factor" && <Field label={t.factor} name="factor" type="number" required hint={t.factorHint} />}
      {what === "factor" && <Field label={t.offset} name="offset" type="number" />}
      {what === "shift" && <Field label={t.shiftS} name="shiftS" type="number" required hint={t.shiftHint} />}
      <Field label={t.reason} name="reason" required maxLength={500} />
    </Form>
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

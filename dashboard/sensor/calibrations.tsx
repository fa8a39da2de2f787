import { useState } from "preact/hooks";
import type { CalibrationView } from "../../contract/calibration.ts";
import type { PageOf } from "../../contract/common.ts";
import { METRICS_OF, type MetricName } from "../../model/metrics.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Problem, useLoaded } from "../parts/state.tsx";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { metricLabel } from "../words/words.ts";
import { fromLocalInput } from "../words/zone.ts";
import type { WholeSensor } from "./sensor-state.ts";

type CalibrationsProps = {
  readonly sensor: WholeSensor;
  /** What its chart shows. */
  readonly metric: MetricName | undefined;
};

/** How what it sends is made right from now on, and was: operators add to it and end what no longer holds. */
export function Calibrations({ sensor, metric }: CalibrationsProps) {
  const t = messages.value.sensor.calibrations;
  const path = `/sensors/${encodeURIComponent(sensor.id)}/calibrations`;
  const load = (signal: AbortSignal) => request<PageOf<CalibrationView>>("GET", path, undefined, signal);
  const { found, reload } = useLoaded(load, [path]);
  const [open, setOpen] = useState(false);
  const { busy, problem, attempt } = useAttempt();
  const items = found?.items ?? [];
  const mayAdd = mayManage.value && sensor.retiredAt === undefined;
  if (items.length === 0 && !mayAdd) return null;

  async function add(data: FormData): Promise<void> {
    await request("POST", path, bodyOf(data));
    setOpen(false);
    reload();
  }

  async function end(id: number): Promise<void> {
    await request("POST", `/calibrations/${id}/end`, {});
    reload();
  }

  return (
    <section class="panel stack">
      <h2>{t.title}</h2>
      {items.length === 0 && !open && <p class="quiet">{t.none}</p>}
      {items.length > 0 && (
        <ul class="stack">
          {items.map((one) => (
            <li key={one.id}>
              <p>
                {metricLabel(one.metric)} {changeOf(one)}
                {one.endedAt !== undefined && <span class="chip">{t.ended}</span>}
              </p>
              <p class="quiet">
                <Moment at={one.from} as="time" /> –{" "}
                {one.to === undefined && one.endedAt === undefined ? (
                  t.untilEnded
                ) : (
                  <Moment at={one.endedAt ?? one.to!} as="time" />
                )}{" "}
                · {one.certificate} · {one.by}
              </p>
              {mayManage.value && one.endedAt === undefined && (
                <Button
                  disabled={busy}
                  aria-label={`${t.end}: ${metricLabel(one.metric)}, ${one.certificate}`}
                  onClick={() => void attempt(() => end(one.id))}
                >
                  {t.end}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      <Problem of={problem} />
      {mayAdd && !open && (
        <div>
          <Button onClick={() => setOpen(true)}>{t.add}</Button>
        </div>
      )}
      {open && (
        <Form label={t.add} submitLabel={t.save} onCancel={() => setOpen(false)} onSubmit={add}>
          <p class="quiet">{t.hint}</p>
          <Field
            label={t.metric}
            name="metric"
            value={metric}
            options={METRICS_OF[sensor.kind].map((name) => [name, metricLabel(name)] as const)}
          />
          <Field label={t.factor} name="factor" type="number" value="1" required hint={t.factorHint} />
          <Field label={t.offset} name="offset" type="number" value="0" required />
          <Field label={t.from} name="from" type="datetime-local" hint={t.fromHint} />
          <Field label={t.to} name="to" type="datetime-local" hint={t.toHint} />
          <Field label={t.certificate} name="certificate" required maxLength={500} hint={t.certificateHint} />
        </Form>
      )}
    </section>
  );
}

function bodyOf(data: FormData): object {
  const moment = (name: string) => {
    const text = typed(data, name);
    return text === undefined ? undefined : new Date(fromLocalInput(text)).toISOString();
  };
  return {
    metric: typed(data, "metric"),
    factor: Number(typed(data, "factor")),
    offset: Number(typed(data, "offset")),
    from: moment("from"),
    to: moment("to"),
    certificate: typed(data, "certificate"),
  };
}

const changeOf = ({ factor, offset }: CalibrationView): string =>
  `× ${factor}${offset === 0 ? "" : ` ${offset < 0 ? "−" : "+"} ${Math.abs(offset)}`}`;

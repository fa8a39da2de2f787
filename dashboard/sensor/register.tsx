import { useState } from "preact/hooks";
import type { ChangedSensorView } from "../../contract/register.ts";
import { ConfirmDialog } from "../admin/parts.tsx";
import { changeOf, SensorForm } from "../admin/sensor-form.tsx";
import { request, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Problem } from "../parts/state.tsx";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import type { FollowedSensor, WholeSensor } from "./sensor-state.ts";

type Props = { readonly sensor: WholeSensor; readonly followed: FollowedSensor };

/** What the register knows of its past: where it stood, whose place it took, that it is gone. */
export function Past({ sensor: { places = [], replaces, replacedBy, retiredAt } }: { sensor: WholeSensor }) {
  const t = messages.value.admin.register;
  if (places.length === 0 && !replaces && retiredAt === undefined) return null;
  return (
    <section class="panel sensor-past">
      <h2>{t.past}</h2>
      <ul>
        {retiredAt !== undefined && (
          <li>
            {t.retired} <Moment at={retiredAt} as="time" />
            {replacedBy !== undefined && (
              <>
                {" · "}
                {t.replacedBy} <SensorLink id={replacedBy} />
              </>
            )}
          </li>
        )}
        {places.toReversed().map(({ district, from, lat, lon }) => (
          <li key={from}>
            {districtName(district)}
            {lat !== undefined && lon !== undefined && (
              <span class="quiet">
                {" "}
                {lat}, {lon}
              </span>
            )}{" "}
            · {t.since} <Moment at={from} as="time" />
          </li>
        ))}
        {replaces && (
          <li>
            {t.tookPlaceOf} <SensorLink id={replaces.sensorId} /> · <Moment at={replaces.from} as="time" />
          </li>
        )}
      </ul>
    </section>
  );
}

const SensorLink = ({ id }: { id: string }) => <a href={`/sensors/${encodeURIComponent(id)}`}>{id}</a>;

/** For those who may: change what is known of the sensor, take it off the register, put it back. */
export function Register({ sensor, followed }: Props) {
  const t = messages.value.admin.register;
  const [open, setOpen] = useState(false);
  const [going, setGoing] = useState(false);
  const [advice, setAdvice] = useState<readonly string[]>([]);
  const { busy, problem, attempt } = useAttempt();
  if (!mayManage.value) return null;
  const path = `/sensors/${encodeURIComponent(sensor.id)}` as const;

  async function change(data: FormData): Promise<void> {
    const changed: ChangedSensorView = await send("PATCH", path, changeOf(sensor, data));
    setAdvice(changed.advice);
    setOpen(false);
    followed.reload();
  }

  async function restore(): Promise<void> {
    await request("POST", `${path}/restore`, {});
    followed.reload();
  }

  if (sensor.retiredAt !== undefined) {
    return (
      <section class="note stack">
        <p>{t.retiredHint}</p>
        <div>
          <Button disabled={busy} onClick={() => void attempt(restore)}>
            {t.restore}
          </Button>
        </div>
        <Problem of={problem} />
      </section>
    );
  }
  return (
    <section class="stack">
      {advice.length > 0 && (
        <div class="note" role="status">
          {advice.map((one) => (
            <p key={one}>{one}</p>
          ))}
        </div>
      )}
      {open ? (
        <SensorForm key={sensor.id} sensor={sensor} onSubmit={change} onCancel={() => setOpen(false)} />
      ) : (
        <div class="cluster">
          <Button onClick={() => setOpen(true)}>{t.change}</Button>
          <Button class="quiet" onClick={() => setGoing(true)}>
            {t.retire}
          </Button>
        </div>
      )}
      {going && (
        <ConfirmDialog
          question={t.askRetire(sensor.id)}
          hint={t.askRetireHint}
          action={t.retire}
          path={path}
          onGone={() => followed.reload()}
          onClose={() => setGoing(false)}
        />
      )}
    </section>
  );
}

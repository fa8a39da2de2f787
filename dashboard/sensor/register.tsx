import { useState } from "preact/hooks";
import type { ChangedSensorView, SensorChange } from "../../contract/register.ts";
import { ConfirmDialog } from "../admin/parts.tsx";
import { type Draft, request, send } from "../api/client.ts";
import { districts } from "../live/live.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed, typedTags } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Problem } from "../parts/state.tsx";
import { mayManage } from "../shell/session.ts";
import { Moment } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { fromLocalInput, toLocalInput } from "../words/zone.ts";
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
        <ChangeForm key={sensor.id} sensor={sensor} onSubmit={change} onCancel={() => setOpen(false)} />
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

type FormProps = {
  readonly sensor: WholeSensor;
  readonly onSubmit: (data: FormData) => Promise<void>;
  readonly onCancel: () => void;
};

function ChangeForm({ sensor, ...form }: FormProps) {
  const { admin: t } = messages.value;
  const { name, district, lat, lon, intervalS, tags, gateway, replaces } = sensor;
  const since = replaces && toLocalInput(Date.parse(replaces.from));
  return (
    <Form class="panel" title={t.register.changeTitle(sensor.id)} submitLabel={t.register.save} {...form}>
      <div class="fields">
        <Field label={t.displayName} name="name" value={name} hint={t.optional} />
        <Field
          label={t.district}
          name="district"
          value={district}
          hint={t.register.moveHint}
          required
          among={districts.value}
        />
        <Field label={t.lat} name="lat" type="number" value={lat?.toString()} hint={t.optional} />
        <Field label={t.lon} name="lon" type="number" value={lon?.toString()} hint={t.optional} />
        <Field label={t.intervalS} name="intervalS" type="number" value={intervalS?.toString()} hint={t.intervalHint} />
        <Field label={t.tags} name="tags" value={tagsText(tags)} hint={t.register.tagsHint} />
        <Field label={t.register.gateway} name="gateway" value={gateway} hint={t.register.gatewayHint} />
        <Field label={t.register.replaces} name="replaces" value={replaces?.sensorId} hint={t.register.replacesHint} />
        <Field
          label={t.register.replacesFrom}
          name="replacesFrom"
          type="datetime-local"
          value={since}
          hint={t.register.replacesFromHint}
        />
      </div>
    </Form>
  );
}

const tagsText = (tags: WholeSensor["tags"]) =>
  Object.entries(tags)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");

/** Only what is other than before: so that two people who change two things do not undo each other's. */
function changeOf(sensor: WholeSensor, data: FormData): Draft<SensorChange> {
  const text = (name: string) => typed(data, name) ?? null;
  const number = (name: string) => (text(name) === null ? null : Number(text(name)));
  const tags = typedTags(data, "tags") ?? {};
  const gone = Object.keys(sensor.tags).filter((key) => tags[key] === undefined);
  const news = Object.entries(tags).filter(([key, value]) => sensor.tags[key] !== value);
  const replaces = text("replaces");
  const from = typed(data, "replacesFrom");
  const since = from === undefined ? undefined : fromLocalInput(from);
  const isLinked = replaces !== (sensor.replaces?.sensorId ?? null);
  const isDated = from !== (sensor.replaces && toLocalInput(Date.parse(sensor.replaces.from)));
  return {
    ...other("name", text("name"), sensor.name),
    ...other("district", text("district") ?? undefined, sensor.district),
    ...other("lat", number("lat"), sensor.lat),
    ...other("lon", number("lon"), sensor.lon),
    ...other("intervalS", number("intervalS"), sensor.intervalS),
    ...other("gateway", text("gateway"), sensor.gateway),
    ...(gone.length + news.length > 0 && {
      tags: { ...Object.fromEntries(gone.map((key) => [key, null])), ...Object.fromEntries(news) },
    }),
    ...((isLinked || (replaces !== null && isDated)) && { replaces }),
    ...(replaces !== null && (isLinked || isDated) && since !== undefined && Number.isFinite(since)
      ? { replacesFrom: new Date(since).toISOString() }
      : {}),
  };
}

const other = <T,>(name: string, now: T | null | undefined, before: T | undefined) =>
  now === undefined || now === (before ?? null) ? {} : { [name]: now };

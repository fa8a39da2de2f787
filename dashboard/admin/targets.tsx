import { useState } from "preact/hooks";
import type { AddedTargetView, ChangedTarget, TargetTestView, TargetType, TargetView } from "../../contract/target.ts";
import { AUDIENCES, SEVERITIES } from "../../model/alert.ts";
import { CHANNELS, hasUrl, SHARED_TYPES } from "../../model/channels.ts";
import { type Draft, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check, Field, Group, typed, typedList } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Problem } from "../parts/state.tsx";
import { Moment } from "../words/time.tsx";
import { zone } from "../words/zone.ts";
import { DaysField, Managed, OneTimeSecret, useManaged } from "./parts.tsx";
import { Removed } from "./removed.tsx";

const pathOf = ({ id }: TargetView): `/targets/${string}` => `/targets/${encodeURIComponent(id)}`;

/** Whom alerts are told to, and how it goes. */
export function Targets() {
  const { admin: t } = messages.value;
  const list = useManaged<TargetView>("/targets");
  const { items, open } = list;
  const [added, setAdded] = useState<AddedTargetView>();
  const former = open === "new" ? undefined : open;

  async function save(data: FormData): Promise<void> {
    const body = targetOf(data);
    if (former) await send("PUT", pathOf(former), body);
    else setAdded(await send("POST", "/targets", { id: typed(data, "id"), ...body }));
    list.done();
  }

  return (
    <Managed
      title={t.tabs.targets}
      hint={t.targetsHint}
      list={list}
      add={t.addTarget}
      onAdd={() => setAdded(undefined)}
      ask={(one) => ({
        question: t.removeTarget(one.name),
        hint: `${t.removeTargetHint} ${messages.value.editing.canUndo}`,
        path: pathOf(one),
      })}
    >
      {open && (
        <TargetForm
          key={former?.id ?? ""}
          former={former}
          others={(items ?? []).filter(({ id }) => id !== former?.id)}
          onSave={save}
          onCancel={list.close}
        />
      )}
      {added?.secret && (
        <OneTimeSecret
          title={t.webhookSecretTitle(added.name)}
          hint={t.webhookSecretHint}
          secrets={[[t.secret, added.secret]]}
          onDone={() => setAdded(undefined)}
        />
      )}
      <Removed among={["target"]} round={items} onUndone={list.reload} />
      {items?.length === 0 && <p class="note">{t.noTargets}</p>}
      <ul class="stack">
        {items?.map((target) => (
          <TargetCard
            key={target.id}
            target={target}
            others={items}
            onTested={list.reload}
            onEdit={() => list.setOpen(target)}
            onRemove={() => list.setGoing(target)}
          />
        ))}
      </ul>
    </Managed>
  );
}

type TargetCardProps = {
  readonly target: TargetView;
  readonly others: readonly TargetView[];
  readonly onEdit: () => void;
  readonly onRemove: () => void;
  readonly onTested: () => void;
};

function TargetCard({ target, others, onEdit, onRemove, onTested }: TargetCardProps) {
  const { admin: t } = messages.value;
  const { name, type, url, to } = target;
  const { busy, problem, attempt } = useAttempt();
  const [result, setResult] = useState<TargetTestView>();

  async function test(): Promise<void> {
    setResult(undefined);
    await attempt(async () => setResult(await send("POST", `${pathOf(target)}/test`, {})));
    onTested();
  }

  return (
    <li class="card box">
      <div class="card-head cluster">
        <h3>{name}</h3>
        <span class="chip">{t.types[type]}</span>
        <StateChip target={target} />
        <div class="cluster">
          <Button aria-label={`${t.test}: ${name}`} disabled={busy} onClick={test}>
            {busy ? t.testing : t.test}
          </Button>
          <Button aria-label={`${t.edit}: ${name}`} onClick={onEdit}>
            {t.edit}
          </Button>
          <Button class="quiet" aria-label={`${t.remove}: ${name}`} onClick={onRemove}>
            {t.remove}
          </Button>
        </div>
      </div>
      <p class="quiet">{url ?? to}</p>
      <Subscription target={target} others={others} />
      <DeliveryStatus target={target} />
      <Problem of={problem} />
      <p role="status" class={result?.sent === false ? "wrong" : ""}>
        {result && (result.sent ? t.testSent : t.testFailed(result.error ?? ""))}
      </p>
    </li>
  );
}

function StateChip({ target }: { target: TargetView }) {
  const { admin: t } = messages.value;
  if (target.disabledBecause !== undefined) return <span class="chip bad">{t.gone}</span>;
  if (!target.enabled) return <span class="chip">{t.off}</span>;
  if (target.failures > 0) return <span class="chip bad">{t.fails(target.failures)}</span>;
  return target.lastSentAt ? <span class="chip on">{t.works}</span> : <span class="chip">{t.unused}</span>;
}

function Subscription({ target, others }: Pick<TargetCardProps, "target" | "others">) {
  const { admin: t, words } = messages.value;
  const { severityMin, audience, districts, rules, quietHours, escalateAfter, escalateTo } = target;
  const nameOf = (id: string) => others.find((other) => other.id === id)?.name ?? id;
  const said = [
    t.hears(words.severity[severityMin], audience ? words.audience[audience] : t.everyone),
    districts && `${t.districts}: ${districts.join(", ")}.`,
    rules && `${t.rules}: ${rules.join(", ")}.`,
    quietHours && t.quietFromTo(quietHours.from, quietHours.to, quietHours.timeZone ?? ""),
    escalateAfter && escalateTo && t.escalates(escalateAfter, nameOf(escalateTo)),
  ];
  return <p>{said.filter(Boolean).join(" ")}</p>;
}

function DeliveryStatus({ target }: { target: TargetView }) {
  const { admin: t } = messages.value;
  const { pending, lastError, lastErrorAt, lastSentAt, disabledBecause, refusing = [] } = target;
  return (
    <>
      {disabledBecause !== undefined && <p class="wrong">{`${t.disabledBecause}: ${disabledBecause}`}</p>}
      {lastError !== undefined && (
        <p>
          {t.lastError} {lastErrorAt && <Moment at={lastErrorAt} />}: {lastError}
        </p>
      )}
      {refusing.length > 0 && (
        <>
          <p class="wrong">{t.refusing}:</p>
          <ul>
            {refusing.map(({ address, why, at }) => (
              <li key={address}>
                <b>{address}</b>: {why}, <Moment at={at} />
              </li>
            ))}
          </ul>
        </>
      )}
      <p class="quiet">
        {pending > 0 && `${t.pending(pending)}. `}
        {lastSentAt && (
          <>
            {t.lastSent}: <Moment at={lastSentAt} />
          </>
        )}
      </p>
    </>
  );
}

type PartProps = { readonly former: TargetView | undefined };

type TargetFormProps = PartProps & {
  readonly others: readonly TargetView[];
  readonly onSave: (data: FormData) => Promise<void>;
  readonly onCancel: () => void;
};

/** `former` is the one that is changed; undefined for a new one. */
function TargetForm({ former, others, onSave, onCancel }: TargetFormProps) {
  const { admin: t } = messages.value;
  const [type, setType] = useState<string>(former?.type ?? "webhook");
  return (
    <Form
      class="panel"
      title={former ? t.changeTarget(former.name) : t.addTarget}
      submitLabel={former ? t.save : t.add}
      onSubmit={onSave}
      onCancel={onCancel}
    >
      <div class="fields">
        <Field label={t.name} name="name" value={former?.name} required />
        {!former && <Field label={t.targetId} name="id" hint={t.targetIdHint} />}
        <Field
          label={t.type}
          name="type"
          value={type}
          onChoose={setType}
          options={SHARED_TYPES.map((one) => [one, t.types[one]] as const)}
        />
        <AddressFields key={type} type={type as TargetType} former={former} />
        <WhichFields former={former} />
        <QuietFields former={former} />
        <Group legend={t.escalation}>
          <Field
            label={t.escalateAfter}
            name="escalateAfter"
            hint={t.escalateAfterHint}
            value={former?.escalateAfter}
          />
          <Field
            label={t.escalateTo}
            name="escalateTo"
            value={former?.escalateTo}
            options={[["", t.nobody], ...others.map(({ id, name }) => [id, name] as const)]}
          />
        </Group>
        <Check label={t.enabled} name="enabled" on={former?.enabled ?? true} />
      </div>
    </Form>
  );
}

function WhichFields({ former }: PartProps) {
  const { admin: t, words } = messages.value;
  const field = (name: "audience" | "severityMin" | "groupBy" | "groupWait") => ({ name, value: former?.[name] });
  const list = (name: "districts" | "rules") => ({ name, value: former?.[name]?.join(", "), hint: t.listHint });
  const groups = ["district", "rule", "gateway"] as const;
  return (
    <Group legend={t.whichAlerts}>
      <Field
        label={t.severityMin}
        options={SEVERITIES.map((one) => [one, words.severity[one]] as const)}
        {...field("severityMin")}
      />
      <Field
        label={t.audience}
        options={[["", t.everyone], ...AUDIENCES.map((one) => [one, words.audience[one]] as const)]}
        {...field("audience")}
      />
      <Field label={t.districts} {...list("districts")} />
      <Field label={t.rules} {...list("rules")} />
      <Field
        label={t.groupBy}
        options={[["", t.notGrouped], ...groups.map((one) => [one, t.groupByOf[one]] as const)]}
        {...field("groupBy")}
      />
      <Field label={t.groupWait} hint={t.groupWaitHint} {...field("groupWait")} />
    </Group>
  );
}

/** Where messages go: what this way needs and nothing else. The service does not show a chat's address again. */
function AddressFields({ type, former }: PartProps & { readonly type: TargetType }) {
  const { admin: t } = messages.value;
  const same = former?.type === type ? former : undefined;
  if (!hasUrl(type)) {
    const value = same?.to ?? (CHANNELS[type].prefix || undefined);
    return <Field label={t.to[type]} name="to" hint={t.toHint[type]} value={value} required />;
  }
  const hint = same?.url ? t.urlKept(same.url) : t.urlHint;
  return (
    <>
      <Field label={t.url} name="url" type="url" required={!same} hint={hint} />
      {type === "webhook" && <Field label={t.secret} name="secret" hint={same ? t.secretKept : t.secretHint} />}
    </>
  );
}

/** The hours in which a target is left alone, in the time of its place. */
function QuietFields({ former }: PartProps) {
  const { admin: t } = messages.value;
  const quiet = former?.quietHours;
  const [on, setOn] = useState(quiet !== undefined);
  const field = (name: string, part: string) => ({ name, part: `quietHours/${part}`, required: true });
  return (
    <Group legend={t.quietHours} part="quietHours">
      <div class="whole">
        <Check label={t.quietHoursOn} name="quiet" on={on} onChange={setOn} />
      </div>
      {on && (
        <>
          <Field label={t.from} type="time" value={quiet?.from ?? "22:00"} {...field("quietFrom", "from")} />
          <Field label={t.until} type="time" value={quiet?.to ?? "06:00"} {...field("quietTo", "to")} />
          <Field label={t.timeZone} value={quiet?.timeZone ?? zone.value} {...field("timeZone", "timeZone")} />
          <DaysField part="quietHours/days" hint={t.daysHint} chosen={quiet?.days} />
        </>
      )}
    </Group>
  );
}

/** The body of `POST` and `PUT`: what was left empty is left out. `id` is taken for a new one only. */
function targetOf(data: FormData): Draft<ChangedTarget> {
  return {
    name: typed(data, "name"),
    type: typed(data, "type"),
    url: typed(data, "url"),
    to: typed(data, "to"),
    secret: typed(data, "secret"),
    audience: typed(data, "audience"),
    severityMin: typed(data, "severityMin"),
    districts: typedList(data, "districts"),
    rules: typedList(data, "rules"),
    groupBy: typed(data, "groupBy"),
    groupWait: typed(data, "groupWait"),
    quietHours: data.has("quiet") ? quietHoursOf(data) : undefined,
    escalateAfter: typed(data, "escalateAfter"),
    escalateTo: typed(data, "escalateTo"),
    enabled: data.has("enabled"),
  };
}

function quietHoursOf(data: FormData) {
  const days = data.getAll("days").map(String);
  return {
    timeZone: typed(data, "timeZone") ?? "",
    from: typed(data, "quietFrom") ?? "",
    to: typed(data, "quietTo") ?? "",
    days: days.length > 0 ? days : undefined,
  };
}

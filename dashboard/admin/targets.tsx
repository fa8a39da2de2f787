import { useState } from "preact/hooks";
import type { AddedTargetView, TargetTestView, TargetType, TargetView } from "../../contract/target.ts";
import { AUDIENCES, SEVERITIES } from "../../model/alert.ts";
import { CHANNELS, hasUrl, TARGET_TYPES } from "../../model/target.ts";
import { request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { CheckField, FieldGroup, SelectField, TextField } from "../parts/fields.tsx";
import { EditForm, typed, typedList, useAttempt, wrongAt } from "../parts/forms.tsx";
import { Moment } from "../words/time.tsx";
import { sayProblem } from "../words/words.ts";
import { AdminSection, AskOnce, DaysField, ownZone, ShownOnce, useAll } from "./parts.tsx";

const pathOf = ({ id }: TargetView) => `/targets/${encodeURIComponent(id)}`;

/** Whom alerts are told to, and how it goes. */
export function Targets() {
  const { admin: t } = messages.value;
  const { items, problem, reload } = useAll<TargetView>("/targets");
  const [open, setOpen] = useState<TargetView | "new">();
  const [added, setAdded] = useState<AddedTargetView>();
  const [going, setGoing] = useState<TargetView>();
  const former = open === "new" ? undefined : open;

  async function save(body: Readonly<Record<string, unknown>>): Promise<void> {
    if (former) await request("PUT", pathOf(former), body);
    else setAdded(await request<AddedTargetView>("POST", "/targets", body));
    setOpen(undefined);
    reload();
  }

  return (
    <AdminSection
      {...{ title: t.tabs.targets, hint: t.targetsHint, problem, loading: !items }}
      add={open ? undefined : t.addTarget}
      onAdd={() => {
        setAdded(undefined);
        setOpen("new");
      }}
    >
      {open && (
        <TargetForm
          key={former?.id ?? ""}
          {...{ former, others: (items ?? []).filter(({ id }) => id !== former?.id), onSave: save }}
          onCancel={() => setOpen(undefined)}
        />
      )}
      {added?.secret && (
        <ShownOnce
          {...{ title: t.webhookSecretTitle(added.name), hint: t.webhookSecretHint }}
          secret={{ label: t.secret, value: added.secret }}
          onDone={() => setAdded(undefined)}
        />
      )}
      {items?.length === 0 && <p class="note">{t.noTargets}</p>}
      <ul class="admin-cards">
        {items?.map((target) => (
          <TargetCard
            key={target.id}
            {...{ target, others: items, onEdit: () => setOpen(target), onRemove: () => setGoing(target) }}
            onTested={reload}
          />
        ))}
      </ul>
      {going && (
        <AskOnce
          {...{ question: t.removeTarget(going.name), hint: t.removeTargetHint, action: t.remove }}
          onYes={async () => {
            await request("DELETE", pathOf(going));
            reload();
          }}
          onClose={() => setGoing(undefined)}
        />
      )}
    </AdminSection>
  );
}

type TargetCardProps = {
  readonly target: TargetView;
  readonly others: readonly TargetView[];
  readonly onEdit: () => void;
  readonly onRemove: () => void;
  readonly onTested: () => void;
};

export function TargetCard({ target, others, onEdit, onRemove, onTested }: TargetCardProps) {
  const { admin: t } = messages.value;
  const { name, type, url, to } = target;
  const { busy, problem, attempt } = useAttempt();
  const [result, setResult] = useState<TargetTestView>();

  async function test(): Promise<void> {
    setResult(undefined);
    const path = `/targets/${encodeURIComponent(target.id)}/test`;
    await attempt(async () => setResult(await request<TargetTestView>("POST", path, {})));
    onTested();
  }

  return (
    <li class="admin-card">
      <div class="admin-card-head">
        <h3>{name}</h3>
        <span class="chip">{t.types[type]}</span>
        <StateChip target={target} />
        <div class="buttons">
          <button type="button" class="button" aria-label={`${t.test}: ${name}`} disabled={busy} onClick={test}>
            {busy ? t.testing : t.test}
          </button>
          <button type="button" class="button" aria-label={`${t.edit}: ${name}`} onClick={onEdit}>
            {t.edit}
          </button>
          <button type="button" class="button quiet" aria-label={`${t.remove}: ${name}`} onClick={onRemove}>
            {t.remove}
          </button>
        </div>
      </div>
      <p class="quiet">{url ?? to}</p>
      <Hears {...{ target, others }} />
      <HowItGoes target={target} />
      <p role="status" class={result?.sent === false || problem !== undefined ? "wrong" : ""}>
        {problem !== undefined && sayProblem(problem)}
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

function Hears({ target, others }: Pick<TargetCardProps, "target" | "others">) {
  const { admin: t, words } = messages.value;
  const { severityMin, audience, districts, rules, quietHours, escalateAfter, escalateTo } = target;
  const nameOf = (id: string) => others.find((other) => other.id === id)?.name ?? id;
  const said = [
    t.hears(words.severity[severityMin], audience ? words.audience[audience] : t.everyone),
    districts && `${t.districts}: ${districts.join(", ")}.`,
    rules && `${t.rules}: ${rules.join(", ")}.`,
    quietHours && t.quietFromTo(quietHours.from, quietHours.to, quietHours.timeZone),
    escalateAfter && escalateTo && t.escalates(escalateAfter, nameOf(escalateTo)),
  ];
  return <p>{said.filter(Boolean).join(" ")}</p>;
}

function HowItGoes({ target }: { target: TargetView }) {
  const { admin: t } = messages.value;
  const { pending, lastError, lastErrorAt, lastSentAt, disabledBecause } = target;
  return (
    <>
      {disabledBecause !== undefined && <p class="wrong">{`${t.disabledBecause}: ${disabledBecause}`}</p>}
      {lastError !== undefined && (
        <p>
          {t.lastError} {lastErrorAt && <Moment at={lastErrorAt} />}: {lastError}
        </p>
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

type TargetFormProps = {
  /** The one that is changed; undefined for a new one. */
  readonly former: TargetView | undefined;
  readonly others: readonly TargetView[];
  readonly onSave: (body: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly onCancel: () => void;
};

export function TargetForm({ former, others, onSave, onCancel }: TargetFormProps) {
  const { admin: t } = messages.value;
  const [type, setType] = useState<TargetType>(former?.type ?? "webhook");
  const title = former ? t.changeTarget(former.name) : t.addTarget;
  return (
    <EditForm
      {...{ title, submitLabel: former ? t.save : t.add, fields: TARGET_FIELDS, onCancel }}
      onSubmit={(data) => onSave(targetOf(data, former === undefined))}
    >
      {(problem) => (
        <>
          <TextField
            {...{ label: t.name, name: "name", value: former?.name, required: true, wrong: wrongAt(problem, "name") }}
          />
          {!former && <TextField label={t.targetId} name="id" hint={t.targetIdHint} wrong={wrongAt(problem, "id")} />}
          <SelectField
            {...{ label: t.type, name: "type", value: type, wrong: wrongAt(problem, "type") }}
            options={TARGET_TYPES.map((one) => [one, t.types[one]] as const)}
            onChoose={(chosen) => setType(chosen as TargetType)}
          />
          <AddressFields key={type} {...{ type, former, problem }} />
          <WhichFields {...{ former, problem }} />
          <QuietFields {...{ former, problem }} />
          <EscalationFields {...{ former, others, problem }} />
          <CheckField label={t.enabled} name="enabled" on={former?.enabled ?? true} />
        </>
      )}
    </EditForm>
  );
}

type PartProps = { readonly former: TargetView | undefined; readonly problem: unknown };

function WhichFields({ former, problem }: PartProps) {
  const { admin: t, words } = messages.value;
  const field = (name: "audience" | "severityMin" | "groupBy" | "groupWait") => {
    return { name, value: former?.[name], wrong: wrongAt(problem, name) };
  };
  const list = (name: "districts" | "rules") => {
    return { name, value: former?.[name]?.join(", "), hint: t.listHint, wrong: wrongAt(problem, name) };
  };
  const groups = ["district", "rule", "gateway"] as const;
  return (
    <FieldGroup legend={t.whichAlerts}>
      <SelectField
        label={t.severityMin}
        options={SEVERITIES.map((one) => [one, words.severity[one]] as const)}
        {...field("severityMin")}
      />
      <SelectField
        label={t.audience}
        options={[["", t.everyone], ...AUDIENCES.map((one) => [one, words.audience[one]] as const)]}
        {...field("audience")}
      />
      <TextField label={t.districts} {...list("districts")} />
      <TextField label={t.rules} {...list("rules")} />
      <SelectField
        label={t.groupBy}
        options={[["", t.notGrouped], ...groups.map((one) => [one, t.groupByOf[one]] as const)]}
        {...field("groupBy")}
      />
      <TextField label={t.groupWait} hint={t.groupWaitHint} {...field("groupWait")} />
    </FieldGroup>
  );
}

function EscalationFields({ former, others, problem }: PartProps & { readonly others: readonly TargetView[] }) {
  const { admin: t } = messages.value;
  return (
    <FieldGroup legend={t.escalation}>
      <TextField
        {...{ label: t.escalateAfter, name: "escalateAfter", hint: t.escalateAfterHint, value: former?.escalateAfter }}
        wrong={wrongAt(problem, "escalateAfter")}
      />
      <SelectField
        {...{ label: t.escalateTo, name: "escalateTo", value: former?.escalateTo }}
        options={[["", t.nobody], ...others.map(({ id, name }) => [id, name] as const)]}
        wrong={wrongAt(problem, "escalateTo")}
      />
    </FieldGroup>
  );
}

type AddressProps = {
  readonly type: TargetType;
  readonly former: TargetView | undefined;
  readonly problem: unknown;
};

/** Where messages go: what this way needs and nothing else. The service does not show a chat's address again. */
export function AddressFields({ type, former, problem }: AddressProps) {
  const { admin: t } = messages.value;
  const same = former?.type === type ? former : undefined;
  if (!hasUrl(type)) {
    return (
      <TextField
        {...{ label: t.to[type], name: "to", hint: t.toHint[type], required: true }}
        value={same?.to ?? (CHANNELS[type].prefix || undefined)}
        wrong={wrongAt(problem, "to")}
      />
    );
  }
  return (
    <>
      <TextField
        {...{ label: t.url, name: "url", type: "url", required: !same, wrong: wrongAt(problem, "url") }}
        hint={same?.url ? t.urlKept(same.url) : t.urlHint}
      />
      {CHANNELS[type].hasSecret && (
        <TextField
          {...{ label: t.secret, name: "secret", wrong: wrongAt(problem, "secret") }}
          hint={same ? t.secretKept : t.secretHint}
        />
      )}
    </>
  );
}

/** The hours in which a target is left alone, in the time of its place. */
export function QuietFields({ former, problem }: { former: TargetView | undefined; problem: unknown }) {
  const { admin: t } = messages.value;
  const quiet = former?.quietHours;
  const [on, setOn] = useState(quiet !== undefined);
  return (
    <FieldGroup legend={t.quietHours}>
      <div class="admin-wide">
        <CheckField label={t.quietHoursOn} name="quiet" on={on} onChange={setOn} />
      </div>
      {on && (
        <>
          <TextField
            {...{ label: t.from, name: "quietFrom", type: "time", required: true, value: quiet?.from ?? "22:00" }}
            wrong={wrongAt(problem, "quietHours/from")}
          />
          <TextField
            {...{ label: t.until, name: "quietTo", type: "time", required: true, value: quiet?.to ?? "06:00" }}
            wrong={wrongAt(problem, "quietHours/to")}
          />
          <TextField
            {...{ label: t.timeZone, name: "timeZone", required: true, value: quiet?.timeZone ?? ownZone() }}
            wrong={wrongAt(problem, "quietHours/timeZone")}
          />
          <DaysField hint={t.daysHint} chosen={quiet?.days} wrong={wrongAt(problem, "quietHours/days")} />
        </>
      )}
    </FieldGroup>
  );
}

/** The parts of the body that have a field of their own. */
export const TARGET_FIELDS: readonly string[] = ["id", "name", "type", "url", "to", "secret", "audience"].concat([
  ...["severityMin", "districts", "rules", "groupBy", "groupWait", "quietHours/timeZone", "quietHours/from"],
  ...["quietHours/to", "quietHours/days", "escalateAfter", "escalateTo"],
]);

/** The body of `POST` and `PUT`: what was left empty is left out. `id` is taken for a new one only. */
export function targetOf(data: FormData, isNew: boolean): Readonly<Record<string, unknown>> {
  return {
    ...(isNew ? { id: typed(data, "id") } : {}),
    name: typed(data, "name") ?? "",
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
  const days = data.getAll("days");
  return {
    timeZone: typed(data, "timeZone") ?? "",
    from: typed(data, "quietFrom") ?? "",
    to: typed(data, "quietTo") ?? "",
    ...(days.length > 0 ? { days } : {}),
  };
}

import { useState } from "preact/hooks";
import { AUDIENCES, SEVERITIES } from "../../../model/alert.ts";
import { messages } from "../../messages/messages.ts";
import { DaysField, ownZone } from "../parts/days.tsx";
import { EditForm } from "../parts/edit-form.tsx";
import { CheckField, FieldGroup, SelectField, TextField } from "../parts/fields.tsx";
import { wrongAt } from "../parts/wrong-at.ts";
import { MATCHERS, matchField, SILENCE_FIELDS, silenceOf } from "./silence-data.ts";

type SilenceFormProps = {
  readonly onAdd: (body: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly onCancel: () => void;
};

const KINDS = ["air", "traffic", "energy", "service"] as const;

export function SilenceForm({ onAdd, onCancel }: SilenceFormProps) {
  const { admin: t } = messages.value;
  const [isMaintenance, setMaintenance] = useState(false);
  return (
    <EditForm
      {...{ title: t.addSilence, submitLabel: t.add, fields: SILENCE_FIELDS, onCancel }}
      onSubmit={(data) => onAdd(silenceOf(data))}
    >
      {(problem) => (
        <>
          <SelectField
            {...{ label: t.silenceKind, name: "kind", wrong: wrongAt(problem, "kind") }}
            options={(["silence", "maintenance"] as const).map((kind) => [kind, t.silenceKinds[kind]] as const)}
            onChoose={(kind) => setMaintenance(kind === "maintenance")}
          />
          <TextField
            {...{ label: t.reason, name: "reason", hint: t.reasonHint, required: true }}
            wrong={wrongAt(problem, "reason")}
          />
          <MatcherFields problem={problem} />
          <WhenFields {...{ problem, isMaintenance }} />
        </>
      )}
    </EditForm>
  );
}

function MatcherFields({ problem }: { problem: unknown }) {
  const { admin: t, words } = messages.value;
  const field = (name: string) => ({
    label: t.matcher[name]!,
    name: matchField(name),
    wrong: wrongAt(problem, `matchers/${name}`),
  });
  const isInside = MATCHERS.some((name) => wrongAt(problem, `matchers/${name}`) !== undefined);
  const any = ["", t.any] as const;
  return (
    <FieldGroup legend={t.matchers} wrong={isInside ? undefined : wrongAt(problem, "matchers")}>
      <p class="quiet admin-wide">{t.matchersHint}</p>
      {["district", "sensor", "rule", "gateway"].map((name) => (
        <TextField key={name} {...field(name)} />
      ))}
      <SelectField options={[any, ...KINDS.map((one) => [one, words.kind[one]] as const)]} {...field("kind")} />
      <SelectField
        options={[any, ...SEVERITIES.map((one) => [one, words.severity[one]] as const)]}
        {...field("severity")}
      />
      <SelectField
        options={[any, ...AUDIENCES.map((one) => [one, words.audience[one]] as const)]}
        {...field("audience")}
      />
      <TextField hint={t.tagHint} {...field("tag")} />
    </FieldGroup>
  );
}

function WhenFields({ problem, isMaintenance }: { problem: unknown; isMaintenance: boolean }) {
  const { admin: t } = messages.value;
  const [weekly, setWeekly] = useState(false);
  const isWeekly = weekly && isMaintenance;
  const moment = (name: string) => ({ name, type: "datetime-local" as const, wrong: wrongAt(problem, name) });
  const time = (name: string, part: string) => ({ name, required: true, wrong: wrongAt(problem, `weekly/${part}`) });
  const inside = ["days", "from", "to", "zone"].some((part) => wrongAt(problem, `weekly/${part}`) !== undefined);
  return (
    <FieldGroup legend={t.when} wrong={inside ? undefined : wrongAt(problem, "weekly")}>
      <TextField label={t.startsAt} hint={t.startsAtHint} {...moment("startsAt")} />
      <TextField label={t.endsAt} hint={isWeekly ? t.endsAtWeeklyHint : t.endsAtHint} {...moment("endsAt")} />
      {isMaintenance && (
        <div class="admin-wide">
          <CheckField label={t.everyWeek} name="weekly" on={weekly} onChange={setWeekly} />
        </div>
      )}
      {isWeekly && (
        <>
          <TextField label={t.from} type="time" value="22:00" {...time("weeklyFrom", "from")} />
          <TextField label={t.until} type="time" value="04:00" {...time("weeklyTo", "to")} />
          <TextField label={t.timeZone} value={ownZone()} {...time("zone", "zone")} />
          <DaysField wrong={wrongAt(problem, "weekly/days")} />
        </>
      )}
    </FieldGroup>
  );
}

import { useState } from "preact/hooks";
import { AUDIENCES, SEVERITIES } from "../../../model/alert.ts";
import { messages } from "../../messages/messages.ts";
import { EditForm } from "../parts/edit-form.tsx";
import { CheckField, FieldGroup, SelectField, TextField } from "../parts/fields.tsx";
import { wrongAt } from "../parts/wrong-at.ts";
import { AddressFields } from "./address-fields.tsx";
import { QuietFields } from "./quiet-fields.tsx";
import { TARGET_FIELDS, type TargetType, type TargetView, TYPES, targetOf } from "./target-data.ts";

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
            options={TYPES.map((one) => [one, t.types[one]] as const)}
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

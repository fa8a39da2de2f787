import { useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";
import { DaysField, ownZone } from "../parts/days.tsx";
import { CheckField, FieldGroup, TextField } from "../parts/fields.tsx";
import { wrongAt } from "../parts/wrong-at.ts";
import type { TargetView } from "./target-data.ts";

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

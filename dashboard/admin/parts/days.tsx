import { WEEKDAYS, type Weekday } from "../../../model/weekly-window.ts";
import { messages } from "../../messages/messages.ts";
import { CheckField } from "./fields.tsx";

type DaysProps = {
  readonly hint?: string;
  readonly wrong?: string | undefined;
  readonly chosen?: readonly Weekday[] | undefined;
};

/** Days of the week to tick; in the form's data they are `days`. */
export function DaysField({ hint, wrong, chosen = [] }: DaysProps) {
  const { admin: t } = messages.value;
  return (
    <fieldset class="admin-days" aria-invalid={wrong ? true : undefined}>
      <legend>{t.days}</legend>
      {WEEKDAYS.map((day) => (
        <CheckField key={day} name="days" value={day} label={t.weekdays[day]} on={chosen.includes(day)} />
      ))}
      {hint && <small class="quiet">{hint}</small>}
      {wrong && <small class="wrong">{wrong}</small>}
    </fieldset>
  );
}

/** Where this browser is: nearly always where the city is. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

import type { Severity } from "../../model/alert.ts";
import { messages } from "../messages/messages.ts";

/** Shape and colour together, and the word for those who see neither. */
export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <span class="hidden">{messages.value.words.severity[severity]}</span>
    </span>
  );
}

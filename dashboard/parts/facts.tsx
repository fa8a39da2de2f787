import type { ComponentChildren } from "preact";
import type { Severity } from "../../model/alert.ts";
import { messages } from "../messages/messages.ts";

/** One line of a list of facts (`dl`). */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Shape and colour together, and the word for those who see neither. */
export function SeverityMark({ severity }: { severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <span class="hidden">{messages.value.words.severity[severity]}</span>
    </span>
  );
}
